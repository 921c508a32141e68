"""Reminding patients of their visits, some hours before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from bookings.models import Appointment
from bookings.rules import reminder_period
from bookings.states import AppointmentStatus
from docbook.outbox.selectors import told_once
from docbook.outbox.services import publish

BATCH = 500
# Whoever has booked so shortly before the moment of a reminder remembers by themselves.
QUIET = timedelta(hours=2)


def publish_reminders(*, hours: Sequence[int], now: datetime) -> int:
    """Publishes `appointment.reminder` once for each visit and number of hours; returns how many.

    Whatever beat has missed is made up for, as long as it helps: a reminder of the day before until
    it is time for the next. Nobody is reminded of what they booked after the reminder's moment.
    """
    return sum(_publish(hours=each, of=hours, now=now) for each in hours)


def reminder_kind(hours: int) -> str:
    """Names the reminder in messages: "24h"."""
    return f"{hours}h"


def _publish(*, hours: int, of: Sequence[int], now: datetime) -> int:
    total = 0
    while True:
        with transaction.atomic():
            found = _still_to_remind(hours=hours, of=of, now=now)
            for appointment_id in found:
                publish(
                    "appointment.reminder",
                    about=appointment_id,
                    once=f"reminder-{appointment_id}-{reminder_kind(hours)}",
                    appointment_id=appointment_id,
                    kind=reminder_kind(hours),
                )
        total += len(found)
        if len(found) < BATCH:
            return total


def _still_to_remind(*, hours: int, of: Sequence[int], now: datetime) -> list[UUID]:
    due = due_for_reminder(hours=hours, of=of, now=now)
    name = Concat(
        Value("reminder-"), Cast(OuterRef("pk"), CharField()), Value(f"-{reminder_kind(hours)}")
    )
    return list(due.exclude(told_once(name)).values_list("pk", flat=True)[:BATCH])


def due_for_reminder(
    *, hours: int, of: Sequence[int], now: datetime
) -> QuerySet[Appointment, Appointment]:
    """Confirmed visits for which now is the time, told or not; nearest first."""
    earliest, latest = reminder_period(hours=hours, of=of)
    return Appointment.objects.filter(
        status=AppointmentStatus.CONFIRMED,
        starts_at__gt=now + latest,
        starts_at__lte=now + earliest,
        created_at__lte=F("starts_at") - (earliest + QUIET),
    ).order_by("starts_at", "id")
