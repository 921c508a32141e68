"""Holds, appointments and the waitlist, for looking only: the services own every change. And the
switch that pauses booking.

Who comes and how to reach them is shown to staff with the right to read of patients, as in the
API. What a visit is about stays between patient and practice and is not shown.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.users import signed_in
from bookings.models import Appointment, BookingPause, Hold, WaitlistEntry
from bookings.practice import PracticeMember
from bookings.services.pause import set_pause
from docbook.audit.services import Actor
from docbook.observability.read_only_admin import ReadOnlyAdmin


class OfPatientsAdmin(ReadOnlyAdmin):
    """Without the right to read of patients, what names or describes one is neither shown nor
    searched.
    """

    of_the_patient: tuple[str, ...] = ()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return _allowed(request, self.list_display, but=self.of_the_patient)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return _allowed(request, self.search_fields, but=("=patient__email", "=email"))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return _allowed(request, super().get_fields(request, obj), but=self.of_the_patient)


def _allowed(request: HttpRequest, names: Iterable[Any], *, but: tuple[str, ...]) -> list[Any]:
    may_read = PracticeMember(signed_in(request)).may_read_patients()
    return [name for name in names if may_read or name not in but]


@admin.register(Appointment)
class AppointmentAdmin(OfPatientsAdmin):
    """Found by its id, by the patient's address or by the doctor's name."""

    list_display = ("starts_at", "doctor", "patient", "visit_type", "status", "version", "id")
    list_filter = ("status", "starts_at")
    list_select_related = ("doctor", "patient", "visit_type")
    search_fields = ("=patient__email", "doctor__name")
    ordering = ("-starts_at", "id")
    exclude = ("reason", "change_reason")
    of_the_patient = ("patient", "patient_name")


@admin.register(Hold)
class HoldAdmin(OfPatientsAdmin):
    """Found by its id, by the address it was made with or by the doctor's name."""

    list_display = ("created_at", "doctor", "starts_at", "state", "expires_at", "email", "id")
    list_filter = ("state", "created_at")
    list_select_related = ("doctor",)
    search_fields = ("=email", "doctor__name")
    exclude = ("reason", "guest_key")
    of_the_patient = ("patient", "first_name", "last_name", "email", "phone")


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(OfPatientsAdmin):
    """In the order in which the times are offered; found by its id, address or doctor's name."""

    list_display = (
        "created_at", "patient", "doctor", "specialty", "city", "from_on", "until_on", "state",
    )  # fmt: skip
    list_filter = ("state", "created_at")
    list_select_related = ("patient", "doctor", "specialty")
    search_fields = ("=patient__email", "doctor__name")
    ordering = ("created_at", "id")
    of_the_patient = ("patient",)


class PauseForm(ModelForm):
    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until is not None and self.cleaned_data.get("is_on") and until <= timezone.now():
            raise ValidationError(_("This has passed: it would pause nothing."), code="past")
        return until


@admin.register(BookingPause)
class BookingPauseAdmin(admin.ModelAdmin):
    """One row, and what it says holds at once."""

    list_display = ("is_on", "until", "message")
    list_display_links = ("is_on", "message")
    fields = ("is_on", "until", "message")
    form = PauseForm

    def save_model(self, request: HttpRequest, obj: BookingPause, form: Any, change: bool) -> None:
        set_pause(
            is_on=obj.is_on,
            until=obj.until,
            message=obj.message,
            by=Actor("staff", request.user.pk),
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not BookingPause.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: BookingPause | None = None) -> bool:
        return False
