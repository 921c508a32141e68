"""Reminds patients of their visits, some hours before."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import CharField, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from bookings.models import Appointment
from bookings.rules import reminder_period
from bookings.states import AppointmentStatus
from docbook.outbox.selectors import told_once
from docbook.outbox.services import publish

BATCH = 100
# A patient who booked this shortly before a reminder needs none.
QUIET = timedelta(hours=2)


def publish_reminders(*, hours: Sequence[int], now: datetime) -> int:
    """Publishes `appointment.reminder` once for each visit and number of hours; returns how many.

    Reminders that beat missed are sent later, as long as they help: a reminder of the day before
    until the next one is due. Nobody is reminded of a visit that they booked after the reminder's
    moment. The most urgent come first, at most one batch: a code must not wait behind a whole day's
    reminders.
    """
    total = 0
    for each in sorted(hours):
        total += _publish(hours=each, of=hours, now=now, limit=BATCH - total)
    return total


def reminder_kind(hours: int) -> str:
    """The name of the reminder in messages: "24h"."""
    return f"{hours}h"


def _publish(*, hours: int, of: Sequence[int], now: datetime, limit: int) -> int:
    kind = reminder_kind(hours)
    name = Concat(Value("reminder-"), Cast(OuterRef("pk"), CharField()), Value(f"-{kind}"))
    due = due_for_reminder(hours=hours, of=of, now=now).exclude(told_once(name))
    with transaction.atomic():
        found = list(due.values_list("pk", flat=True)[:limit])
        for appointment_id in found:
            publish(
                "appointment.reminder",
                about=appointment_id,
                once=f"reminder-{appointment_id}-{kind}",
                appointment_id=appointment_id,
                kind=kind,
            )
    return len(found)


def due_for_reminder(
    *, hours: int, of: Sequence[int], now: datetime
) -> QuerySet[Appointment, Appointment]:
    """Confirmed visits whose reminder is due now, sent or not; nearest first."""
    earliest, latest = reminder_period(hours=hours, of=of)
    return Appointment.objects.filter(
        status=AppointmentStatus.CONFIRMED,
        starts_at__gt=now + latest,
        starts_at__lte=now + earliest,
        created_at__lte=F("starts_at") - (earliest + QUIET),
    ).order_by("starts_at", "id")
