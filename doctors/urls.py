"""Pages of doctors."""

from django.urls import path

from doctors.views.detail import detail
from doctors.views.home import home
from doctors.views.listing import doctor_list

app_name = "doctors"
urlpatterns = [
    path("", home, name="home"),
    path("doctors/", doctor_list, name="list"),
    path("doctors/<slug:slug>/", detail, name="detail"),
]
