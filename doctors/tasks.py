"""Celery tasks for schedules. Beat knows them by name."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from docbook.outbox.receiving import Received, one_by_one, receive
from doctors.services.expansion import expand_slots, purge_old_slots
from doctors.services.external_calendars import (
    EVERY,
    claim_due,
    read_calendar,
    renew_kept_addresses,
)
from doctors.services.slot_expansions import carry_out, purge_old_expansions


@shared_task(name="doctors.expand_slots")
def expand_all_slots() -> None:
    """Keeps every doctor's horizon filled, and deletes old slots."""
    now = timezone.now()
    expand_slots(doctor_ids=None, now=now)
    purge_old_slots(now=now)
    purge_old_expansions(now=now)


@shared_task(name="doctors.carry_out_expansion")
def carry_out_expansion(*copies: Any) -> None:
    """Topic hours.changed: {expansion_id}."""

    def handle(_message: Received, *, expansion_id: str) -> None:
        carry_out(expansion_id=int(expansion_id), now=timezone.now())

    receive(copies, handle=one_by_one(handle))


@shared_task(name="doctors.read_due_calendars")
def read_due_calendars() -> None:
    """Asks for a task for each calendar. If one is lost, the calendar is due again soon."""
    for calendar_id in claim_due(now=timezone.now()):
        read_one_calendar.apply_async((calendar_id,), expires=EVERY.total_seconds())


@shared_task(name="doctors.read_calendar")
def read_one_calendar(calendar_id: int) -> None:
    read_calendar(calendar_id=calendar_id, now=timezone.now())


@shared_task(name="doctors.renew_kept_addresses")
def renew_addresses() -> None:
    renew_kept_addresses()
