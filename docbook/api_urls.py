"""Version 1 of the API: the list of all its addresses."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter
from drf_spectacular.views import SpectacularAPIView

from accounts.api.auth import MeView, RefreshView, TokenView
from bookings.appointments.api import CancelBooking, MoveBooking
from bookings.holding.api import BookingDetail, BookingList, ResendOtp, VerifyOtp
from bookings.schedule.api import Callers, DoctorAppointments, MarkBooking, MoveVisit
from bookings.waitlist.api import AcceptOffer, Waitlist, WaitlistEntryDetail
from docbook.http.api_docs import SwaggerView
from doctors.api.doctors import DoctorDetail, DoctorList, DoctorSlots


class IdConverter(IntConverter):
    """The ids that PostgreSQL can hold. A longer one is an unknown address."""

    regex = "[0-9]{1,18}"


register_converter(IdConverter, "id")

app_name = "api"
urlpatterns = [
    path("auth/token", TokenView.as_view()),
    path("auth/token/refresh", RefreshView.as_view()),
    path("me", MeView.as_view()),
    path("doctors", DoctorList.as_view()),
    path("doctors/<id:doctor_id>", DoctorDetail.as_view()),
    path("doctors/<id:doctor_id>/slots", DoctorSlots.as_view()),
    path("doctors/<id:doctor_id>/appointments", DoctorAppointments.as_view()),
    path("doctors/<id:doctor_id>/callers", Callers.as_view()),
    path("bookings", BookingList.as_view()),
    path("bookings/<uuid:booking_id>", BookingDetail.as_view(), name="booking"),
    path("bookings/<uuid:booking_id>/verify-otp", VerifyOtp.as_view()),
    path("bookings/<uuid:booking_id>/resend-otp", ResendOtp.as_view()),
    path("bookings/<uuid:booking_id>/cancel", CancelBooking.as_view()),
    path("bookings/<uuid:booking_id>/reschedule", MoveBooking.as_view()),
    path("bookings/<uuid:booking_id>/mark", MarkBooking.as_view()),
    path("bookings/<uuid:booking_id>/move", MoveVisit.as_view()),
    path("waitlist", Waitlist.as_view()),
    path("waitlist/<uuid:entry_id>", WaitlistEntryDetail.as_view()),
    path("waitlist/offers/<uuid:offer_id>/accept", AcceptOffer.as_view()),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SwaggerView.as_view(), name="docs"),
]
