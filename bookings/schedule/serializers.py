"""What the API takes for a doctor's day, and for an act on one of its visits."""

from typing import Any

from rest_framework import serializers

from bookings.schedule.acts import Act
from bookings.states import AppointmentStatus
from docbook.http.moments import DayField
from docbook.http.serializers import ChoiceField, IdField, StrictSerializer, TextField


class DoctorAppointmentsQuery(serializers.Serializer[Any]):
    date = DayField()
    status = ChoiceField(required=False, choices=AppointmentStatus.choices)


class MoveIn(StrictSerializer):
    slotId = IdField(help_text="The first slot of the new time, of the same doctor.")  # noqa: N815
    reason = TextField(max_length=500, help_text="The patient reads it.")
    anyway = serializers.BooleanField(
        required=False,
        default=False,
        help_text="For a time that patients cannot book: sooner than the doctor's notice, or too"
        " far ahead.",
    )


class ActIn(StrictSerializer):
    act = ChoiceField(choices=[(act.value, act.value) for act in Act])
    reason = TextField(
        required=False,
        allow_blank=True,
        max_length=500,
        default="",
        help_text="For `cancel`: the patient reads it.",
    )
