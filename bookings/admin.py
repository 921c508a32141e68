"""Holds, appointments and the waitlist, for looking only: the services own every change.

What a visit is about stays between patient and practice and is not shown.
"""

from django.contrib import admin

from bookings.models import Appointment, Hold, WaitlistEntry
from docbook.observability.read_only_admin import ReadOnlyAdmin


@admin.register(Appointment)
class AppointmentAdmin(ReadOnlyAdmin):
    """Found by its id, by the patient's address or by the doctor's name."""

    list_display = ("starts_at", "doctor", "patient", "visit_type", "status", "version", "id")
    list_filter = ("status", "starts_at")
    list_select_related = ("doctor", "patient", "visit_type")
    search_fields = ("=patient__email", "doctor__name")
    ordering = ("-starts_at", "id")
    exclude = ("reason", "change_reason")


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Found by its id, by the address it was made with or by the doctor's name."""

    list_display = ("created_at", "doctor", "starts_at", "state", "expires_at", "email", "id")
    list_filter = ("state", "created_at")
    list_select_related = ("doctor",)
    search_fields = ("=email", "doctor__name")
    exclude = ("reason", "guest_key")


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(ReadOnlyAdmin):
    """In the order in which the times are offered; found by its id, address or doctor's name."""

    list_display = (
        "created_at", "patient", "doctor", "specialty", "city", "from_on", "until_on", "state",
    )  # fmt: skip
    list_filter = ("state", "created_at")
    list_select_related = ("patient", "doctor", "specialty")
    search_fields = ("=patient__email", "doctor__name")
    ordering = ("created_at", "id")
