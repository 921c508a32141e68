"""Carries out what the practice has decided about visits, one visit after the other."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment
from bookings.appointments.services.moves import hand_over_appointment
from bookings.models import Choice, ItemState, RearrangedVisit, Rearrangement
from bookings.rearranging.services.decisions import ask_to_carry_out
from bookings.rearranging.services.offers import offer_times
from docbook.errors import DomainError, FieldError

# A worker has a message for a minute. This many visits take it a few seconds.
BATCH = 20


def carry_out(*, rearrangement_id: int, now: datetime) -> int:
    """Does up to BATCH of the visits that wait, and asks for the rest; returns how many it did.

    Each visit changes in one transaction with its item. So a run after a crash continues where the
    first ended, and nobody is told twice. Two runs at once do different visits.
    """
    decision = Rearrangement.objects.select_related("decided_by", "colleague").get(
        pk=rearrangement_id
    )
    waiting = decision.items.filter(state=ItemState.WAITING).order_by("visit__starts_at", "pk")
    ids = list(waiting.values_list("pk", flat=True)[: BATCH + 1])
    done, faults = 0, []
    for item_id in ids[:BATCH]:
        try:
            done += _carry_out(item_id, decision=decision, now=now)
        except Exception as fault:  # noqa: BLE001 - one visit keeps no other waiting
            faults.append(fault)
    if faults:
        raise faults[0]  # the message comes again, and with it the visits that are left
    if len(ids) > BATCH:
        with transaction.atomic():
            ask_to_carry_out(decision.pk)
    return done


def _carry_out(item_id: int, *, decision: Rearrangement, now: datetime) -> bool:
    """False if another run has the item, or has done it. A refusal is noted; any other error
    leaves the item waiting, for the next run.
    """
    with transaction.atomic():
        item = _lock(item_id)
        if item is None:
            return False
        item.rearrangement = decision
        try:
            with transaction.atomic():
                _ACTS[Choice(decision.choice)](item, now)
        except DomainError as refusal:
            item.state, item.failure = ItemState.FAILED, _code_of(refusal)
        else:
            item.state = ItemState.DONE
        item.save(update_fields=["state", "failure", "offered_until"])
    return True


def _lock(item_id: int) -> RearrangedVisit | None:
    """Closes this race: of two runs, both would find that the item waits, and both would do it."""
    waiting = RearrangedVisit.objects.filter(pk=item_id, state=ItemState.WAITING)
    return waiting.select_for_update(skip_locked=True).first()


def _code_of(refusal: DomainError) -> str:
    return refusal.field_code if isinstance(refusal, FieldError) else refusal.code


def _cancel(item: RearrangedVisit, now: datetime) -> None:
    cancel_appointment(
        appointment_id=item.visit_id,
        by=PracticeMember(item.rearrangement.decided_by),
        version=item.version,
        reason=item.rearrangement.reason,
        now=now,
    )


def _hand_over(item: RearrangedVisit, now: datetime) -> None:
    decision = item.rearrangement
    if decision.colleague is None:
        raise AssertionError("the database names a colleague to hand over")
    hand_over_appointment(
        appointment_id=item.visit_id,
        to=decision.colleague,
        by=PracticeMember(decision.decided_by),
        version=item.version,
        reason=decision.reason,
        now=now,
    )


def _keep(_item: RearrangedVisit, _now: datetime) -> None:
    """Nothing is left to do."""


_ACTS: dict[Choice, Callable[[RearrangedVisit, datetime], None]] = {
    Choice.CANCEL: _cancel,
    Choice.HAND_OVER: _hand_over,
    Choice.OFFER: offer_times,
    Choice.KEEP: _keep,
}
