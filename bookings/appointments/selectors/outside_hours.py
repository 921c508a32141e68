"""Booked visits outside their doctor's hours: the hours changed, and nothing cancels the visits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from bookings.models import Appointment
from bookings.states import AppointmentStatus
from doctors.models import AvailabilityRule, Doctor
from doctors.recurrence import block_on


def visits_outside_hours(doctor: Doctor, *, now: datetime) -> list[UUID]:
    """Confirmed upcoming visits that no hours at their clinic cover. For a doctor who is switched
    off, all upcoming visits. Two queries.
    """
    coming = Appointment.objects.filter(
        doctor=doctor, status=AppointmentStatus.CONFIRMED, starts_at__gt=now
    ).order_by("starts_at", "id")
    rows = coming.values_list("id", "clinic_id", "starts_at", "ends_at")
    hours: dict[int, list[AvailabilityRule]] = {}
    if doctor.is_active:
        for rule in doctor.rules.select_related("clinic"):
            hours.setdefault(rule.clinic_id, []).append(rule)
    return [
        pk
        for pk, clinic_id, starts_at, ends_at in rows
        if not _are_within(hours.get(clinic_id, []), starts_at, ends_at)
    ]


def _are_within(rules: Sequence[AvailabilityRule], starts_at: datetime, ends_at: datetime) -> bool:
    """Whether the hours cover the whole visit, one block after another."""
    reached = starts_at
    while reached < ends_at:
        further = _end_of_block(rules, reached)
        if further is None:
            return False
        reached = further
    return True


def _end_of_block(rules: Sequence[AvailabilityRule], moment: datetime) -> datetime | None:
    for rule in rules:
        weekly = rule.weekly()
        block = block_on(rule=weekly, day=moment.astimezone(weekly.zone).date())
        if block and block.starts_at <= moment < block.ends_at:
            return block.ends_at
    return None
