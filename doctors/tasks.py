"""Celery tasks for schedules. Beat knows them by name."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from docbook.outbox.receiving import Received, one_by_one, receive
from doctors.services.expansion import expand_slots, purge_old_slots
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
