"""The API's query for a doctor's day."""

from typing import Any

from rest_framework import serializers

from bookings.states import AppointmentStatus
from docbook.http.moments import DayField
from docbook.http.serializers import (
    ChoiceField,
)


class DoctorAppointmentsQuery(serializers.Serializer[Any]):
    date = DayField()
    status = ChoiceField(required=False, choices=AppointmentStatus.choices)
