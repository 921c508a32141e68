"""Brings slots in line with changed hours, step by step, in a worker."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from docbook.outbox.services import publish
from doctors.models import SlotExpansion
from doctors.services.expansion import DOCTORS_A_CHUNK, KEPT_FOR, expand_slots


def ask_for_expansion(*, doctor_ids: Sequence[int], by: User | None) -> SlotExpansion:
    """Asks a worker to make the slots of these doctors again, once the change is committed."""
    with transaction.atomic():
        asked = SlotExpansion.objects.create(doctor_ids=sorted(set(doctor_ids)), asked_by=by)
        publish("hours.changed", about=f"expansion-{asked.pk}", expansion_id=asked.pk)
    return asked


def carry_out(*, expansion_id: int, now: datetime) -> None:
    """Continues where an earlier try stopped. Does nothing once all is done."""
    while _next_chunk(expansion_id, now=now):
        pass


def purge_old_expansions(*, now: datetime) -> int:
    """Deletes expansions that finished more than a month ago; returns how many."""
    finished, _by_model = SlotExpansion.objects.filter(finished_at__lt=now - KEPT_FOR).delete()
    return finished


def _next_chunk(expansion_id: int, *, now: datetime) -> bool:
    """One transaction; False if nothing is left.

    The lock on the row closes this race: if a worker takes longer than its lease, a second one
    starts beside it, and both would count the same doctors.
    """
    with transaction.atomic():
        row = SlotExpansion.objects.select_for_update().filter(pk=expansion_id, finished_at=None)
        asked = row.first()
        if asked is None:
            return False
        chunk = asked.doctor_ids[asked.done : asked.done + DOCTORS_A_CHUNK]
        result = expand_slots(doctor_ids=chunk, now=now)
        asked.done += len(chunk)
        asked.added += result.added
        asked.removed += result.removed
        asked.finished_at = now if asked.done == len(asked.doctor_ids) else None
        asked.save()
    return True
