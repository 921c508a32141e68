"""Appointments as the API shows and reads them."""

from typing import Any

from rest_framework import serializers

from bookings.errors import SlotHeld, SlotTaken
from bookings.states import AppointmentStatus
from docbook.errors import DomainError, FieldError
from docbook.http.moments import DayField, InstantField, LocalInstantField
from docbook.http.serializers import (
    ChoiceField,
    IdField,
    ReferenceField,
    StrictSerializer,
    TextField,
)
from docbook.http.times import local_iso
from docbook.references import reference
from doctors.serializers import TimeOut, VisitTypeOut


class CancelIn(StrictSerializer):
    reason = TextField(required=False, allow_blank=True, max_length=500, default="")


class MoveQuery(serializers.Serializer[Any]):
    """Days of the clinic, both included and at most 31; from today on unless said otherwise."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        days = {name: DayField(required=False) for name in ("from", "to")}
        return {**super().get_fields(), **days}


class BookingDoctorOut(serializers.Serializer[Any]):
    id = IdField()
    slug = serializers.CharField()
    name = serializers.CharField()


# What a patient has written, or what was written to them.
_OF_THE_PATIENT = ("patientName", "reason", "cancelReason")


class BookingOut(serializers.Serializer[Any]):
    """An appointment, for its patient and their practice.

    With `without_patient` in its context it leaves empty what the reader has no right to.
    """

    id = serializers.UUIDField()
    reference = ReferenceField()
    status = serializers.ChoiceField(choices=AppointmentStatus.choices)
    version = serializers.IntegerField()
    doctor = BookingDoctorOut()
    visitType = VisitTypeOut(source="agreed")  # noqa: N815
    startsAt = LocalInstantField("starts_at")  # noqa: N815
    endsAt = LocalInstantField("ends_at")  # noqa: N815
    timeZone = serializers.CharField(source="time_zone")  # noqa: N815
    address = serializers.CharField()
    patientName = serializers.CharField(source="patient_name")  # noqa: N815
    reason = serializers.CharField()
    changeableUntil = serializers.DateTimeField(  # noqa: N815
        read_only=True, help_text="Until when its patient can move or cancel it."
    )
    cancelReason = serializers.CharField(  # noqa: N815
        read_only=True, help_text="What was said when it was cancelled; empty otherwise."
    )
    replaces = serializers.UUIDField(allow_null=True)
    replacedBy = serializers.UUIDField(source="replaced_by", allow_null=True)  # noqa: N815

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Written out, because each booking ends with it: its fields, which describe it, take eight
        times as long.
        """
        zone, doctor, agreed = instance.time_zone, instance.doctor, instance.agreed
        is_cancelled = instance.status == AppointmentStatus.CANCELLED
        shown = {
            "id": str(instance.pk),
            "reference": reference(instance.pk),
            "status": instance.status,
            "version": instance.version,
            "doctor": {"id": doctor.pk, "slug": doctor.slug, "name": doctor.name},
            "visitType": {
                "id": agreed.id,
                "name": agreed.name,
                "mode": agreed.mode,
                "minutes": agreed.minutes,
                "priceCents": agreed.price_cents,
                "currency": agreed.currency,
            },
            "startsAt": local_iso(instance.starts_at, zone),
            "endsAt": local_iso(instance.ends_at, zone),
            "timeZone": zone,
            "address": instance.address,
            "patientName": instance.patient_name,
            "reason": instance.reason,
            "changeableUntil": local_iso(instance.changeable_until, zone),
            "cancelReason": instance.change_reason if is_cancelled else "",
            "replaces": instance.replaces and str(instance.replaces),
            "replacedBy": instance.replaced_by and str(instance.replaced_by),
        }
        if self.context.get("without_patient"):
            shown |= dict.fromkeys(_OF_THE_PATIENT, "")
        return shown


class BookingsQuery(serializers.Serializer[Any]):
    """`from` and `to` are instants; bookings that start in [from, to)."""

    status = ChoiceField(required=False, choices=AppointmentStatus.choices)
    doctor_id = IdField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        instants = {name: InstantField(required=False) for name in ("from", "to")}
        return {**super().get_fields(), **instants}


_API_NAMES = {
    "slot": "slotId",
    "visit_type": "visitTypeId",
    "first_name": "firstName",
    "last_name": "lastName",
    "born_on": "bornOn",
}


def in_the_words_of_the_api(error: DomainError) -> DomainError:
    """Translates field names and free times into those of the API."""
    if isinstance(error, FieldError):
        return FieldError(
            _API_NAMES.get(error.field, error.field), error.message, field_code=error.field_code
        )
    if isinstance(error, SlotTaken | SlotHeld):
        error.extra["alternatives"] = TimeOut(error.alternatives, many=True).data
    return error
