"""All addresses."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from docbook.http import well_known

# The admin has no sign-in of its own: ours has the limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", include("doctors.urls")),
    path("", include("bookings.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("api/v1/", include("docbook.api_urls")),
    path("admin/", admin.site.urls),
    path(".well-known/security.txt", well_known.security_txt),
    path(".well-known/change-password", well_known.change_password),
    path("robots.txt", well_known.robots_txt),
]

handler400 = "docbook.http.pages.bad_request"
handler403 = "docbook.http.pages.forbidden"
handler404 = "docbook.http.pages.not_found"
handler500 = "docbook.http.pages.server_error"
