"""Booked visits outside their doctor's hours: the hours changed, and nothing cancels the visits."""

from datetime import datetime
from uuid import UUID

from bookings.models import Appointment
from bookings.states import AppointmentStatus
from doctors.models import Doctor
from doctors.recurrence import ONE_DAY
from doctors.selectors.hours import hours_of


def visits_outside_hours(doctor: Doctor, *, now: datetime) -> list[UUID]:
    """Confirmed upcoming visits that no hours at their clinic cover. For a doctor who is switched
    off, all upcoming visits. Four queries.
    """
    coming = Appointment.objects.filter(
        doctor=doctor, status=AppointmentStatus.CONFIRMED, starts_at__gt=now
    ).order_by("starts_at", "id")
    rows = coming.values_list("id", "clinic_id", "starts_at", "ends_at")
    if not doctor.is_active:
        return [pk for pk, _clinic, _starts_at, _ends_at in rows]
    hours = hours_of([doctor], since=now.date() - ONE_DAY)[doctor.pk]
    return [
        pk
        for pk, clinic_id, starts_at, ends_at in rows
        if not hours.works_from_to(clinic_id, starts_at, ends_at)
    ]
