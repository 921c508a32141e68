"""Booked visits outside their doctor's hours: the hours changed, and nothing cancels the visits."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bookings.models import Appointment
from bookings.states import AppointmentStatus
from doctors.hours import Hours
from doctors.models import Doctor
from doctors.recurrence import ONE_DAY, Period
from doctors.selectors.hours import hours_of


class BookedVisit(NamedTuple):
    """A confirmed upcoming visit. `time_zone` is the one of its place, as agreed."""

    id: UUID
    clinic_id: int
    starts_at: datetime
    ends_at: datetime
    patient_name: str
    time_zone: str
    version: int


def coming_visits(doctor: Doctor, *, now: datetime) -> list[BookedVisit]:
    """In order of time. One query."""
    coming = Appointment.objects.filter(
        doctor=doctor, status=AppointmentStatus.CONFIRMED, starts_at__gt=now
    ).order_by("starts_at", "id")
    return [BookedVisit(*row) for row in coming.values_list(*BookedVisit._fields)]


def visits_outside(hours: Hours, visits: Sequence[BookedVisit]) -> list[BookedVisit]:
    """Those of the visits that no hours at their clinic cover, in the same order."""
    of_clinic: dict[int, list[BookedVisit]] = defaultdict(list)
    for visit in visits:
        of_clinic[visit.clinic_id].append(visit)
    covered = {
        visit.id
        for clinic_id, here in of_clinic.items()
        for visit, works in zip(here, hours.works_during(clinic_id, _periods(here)), strict=True)
        if works
    }
    return [visit for visit in visits if visit.id not in covered]


def visits_outside_hours(doctor: Doctor, *, now: datetime) -> list[UUID]:
    """Confirmed upcoming visits that no hours at their clinic cover. For a doctor who is switched
    off, all upcoming visits. Four queries.
    """
    visits = coming_visits(doctor, now=now)
    if doctor.is_active:
        hours = hours_of([doctor], since=now.date() - ONE_DAY)[doctor.pk]
        visits = visits_outside(hours, visits)
    return [visit.id for visit in visits]


def _periods(visits: Sequence[BookedVisit]) -> list[Period]:
    return [Period(visit.starts_at, visit.ends_at) for visit in visits]
