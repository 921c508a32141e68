"""What the API takes for a doctor's day, and for an act on one of its visits."""

from typing import Any

from rest_framework import serializers

from accounts.plain_email import validate_plain_email
from bookings.schedule.acts import Act
from bookings.states import AppointmentStatus
from docbook.http.moments import DayField
from docbook.http.phone_field import phone_field
from docbook.http.serializers import (
    ChoiceField,
    EmailField,
    IdField,
    StrictSerializer,
    TextField,
)


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


class CallersIn(StrictSerializer):
    words = TextField(
        max_length=200,
        help_text="Parts of a name or number, a birthday, or a whole e-mail address, in any order.",
    )


class CallerOut(serializers.Serializer[Any]):
    """Of people who are no patients of this practice, name, number and address are masked."""

    caller = serializers.CharField(source="key", help_text="Stands for them when you book.")
    name = serializers.CharField(source="found.shown_name")
    phone = serializers.CharField(source="found.shown_phone")
    email = serializers.CharField(source="found.shown_email")
    bornOn = serializers.DateField(source="found.shown_birthday", allow_null=True)  # noqa: N815
    isPatient = serializers.BooleanField(source="found.is_own")  # noqa: N815


class CallersOut(serializers.Serializer[Any]):
    items = CallerOut(many=True)


class BookCallerIn(StrictSerializer):
    """Who comes is either a `caller`, as the search gives it, or somebody new."""

    slotId = IdField()  # noqa: N815
    visitTypeId = IdField()  # noqa: N815
    caller = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")
    firstName = TextField(  # noqa: N815
        required=False, allow_blank=True, max_length=80, default=""
    )
    lastName = TextField(  # noqa: N815
        required=False, allow_blank=True, max_length=80, default=""
    )
    phone = phone_field(help_text="Somebody new has a number, an e-mail address, or both.")
    email = EmailField(
        required=False,
        allow_blank=True,
        max_length=254,
        default="",
        validators=[validate_plain_email],
    )
    bornOn = DayField(required=False, allow_null=True, default=None)  # noqa: N815
    reason = TextField(
        required=False,
        allow_blank=True,
        max_length=500,
        default="",
        help_text="The patient can read it.",
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
