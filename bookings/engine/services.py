"""Gives times back, by their holder or when they expire, and tells people who wait for them."""

from collections.abc import Callable
from uuid import UUID

import structlog
from django.db import OperationalError, transaction

from bookings.actors.holder import Holder, keys_of
from bookings.engine import slot_gate
from bookings.engine.selectors import JUDGED, get_hold, lapsed_hold_ids
from bookings.errors import AlreadyConfirmed
from bookings.models import Hold, HoldState
from docbook import fibers
from docbook.audit import services as audit
from docbook.postgres.rows import rows_of
from doctors.services import claims

log = structlog.get_logger(__name__)


def release_hold(*, hold_id: UUID, holder: Holder) -> Hold:
    """The holder gives the time back. A hold that has already ended stays as it is.

    Raises NotFound for somebody else's hold, AlreadyConfirmed for one that became an appointment.
    """
    hold = get_hold(hold_id=hold_id, holder=holder)
    with transaction.atomic():
        lock_hold(hold)
        if hold.state == HoldState.CONFIRMED:
            raise AlreadyConfirmed
        if hold.state == HoldState.HELD:
            end_hold(hold, state=HoldState.RELEASED, by=holder.actor)
    return hold


def sweep_holds(*, limit: int = 500, doctor_id: int | None = None) -> int:
    """Marks expired holds and opens their slots, of one doctor or of all; returns how many.

    This only tidies up. An expired hold blocks nobody, because every claim checks the clock itself.
    """
    lapsed = lapsed_hold_ids(limit=limit, doctor_id=doctor_id)
    return sum(_end_unless_locked(hold_id, _expire) for hold_id in lapsed)


def end_other_moves(*, appointment_id: UUID, by: audit.Actor) -> None:
    """Call it in every transaction that moves or cancels a visit: a time still held for moving it
    can no longer become a visit. It runs after the commit, each hold in its own transaction,
    because slots are locked before holds. Holds that are not ended here expire.
    """

    def end(hold_id: UUID) -> bool:
        with transaction.atomic():
            hold = Hold.objects.get(pk=hold_id)
            lock_hold(hold)
            if hold.state != HoldState.HELD:
                return False
            end_hold(hold, state=HoldState.RELEASED, by=by)
        return True

    def end_all() -> None:
        moves = Hold.objects.filter(replaces=appointment_id, state=HoldState.HELD)
        for hold_id in moves.values_list("pk", flat=True):
            _end_unless_locked(hold_id, end)

    transaction.on_commit(end_all, robust=True)  # the visit has changed, even if this fails


def lock_hold(hold: Hold) -> None:
    """Locks slots, then the hold, and reads the hold's current state into the object."""
    claims.lock_slots(slot_ids=hold.slot_ids)
    locked = Hold.objects.select_for_update().annotate(**JUDGED).get(pk=hold.pk)
    hold.is_over = locked.is_over
    for field in Hold._meta.concrete_fields:
        setattr(hold, field.attname, getattr(locked, field.attname))


def end_hold(hold: Hold, *, state: HoldState, by: audit.Actor) -> None:
    """Opens the slots of a locked hold and sets its state to the reason. The gate opens after
    commit.
    """
    claims.give_back_slots(slot_ids=hold.slot_ids, hold_id=hold.pk)
    hold.state = state
    hold.save(update_fields=["state"])
    audit.record(
        action=f"hold.{state.value}",
        by=by,
        on=("hold", hold.pk),
        before={"state": HoldState.HELD.value},
        after={"state": state.value},
    )
    announce_release(doctor_id=hold.doctor_id, slot_ids=hold.slot_ids)
    open_gate_after_commit(hold)


def open_gate_after_commit(hold: Hold) -> None:
    """A time that nobody is confirming any more needs no gate."""
    first, hold_id, keys = hold.slot_ids[0], hold.pk, keys_of(hold.patient_id, hold.guest_key)

    def leave() -> None:
        slot_gate.leave(slot_id=first, hold_id=hold_id, holder_keys=keys)

    if fibers.is_inside():  # where no transaction is open
        leave()
    else:
        transaction.on_commit(leave)


def announce_release(*, doctor_id: int, slot_ids: list[int]) -> None:
    """Call it in every transaction that gives slots back. Does nothing if nobody waits.

    The database publishes `slot.released`. It does so by itself when a move or a fifth wrong code
    gives a time back; see bookings/engine/sql.
    """
    rows_of("SELECT bookings_announce_release(%s, %s::bigint[])", doctor_id, sorted(slot_ids))


def _end_unless_locked(hold_id: UUID, end: Callable[[UUID], bool]) -> bool:
    """A hold that somebody is using right now must not block the work on all others."""
    try:
        return end(hold_id)
    except OperationalError:
        log.warning("hold_not_ended", hold_id=str(hold_id))
        return False


def _expire(hold_id: UUID) -> bool:
    with transaction.atomic():
        hold = Hold.objects.get(pk=hold_id)
        lock_hold(hold)
        # Before the lock, it may have been confirmed, released or renewed.
        if hold.state != HoldState.HELD or not hold.is_over:
            return False
        end_hold(hold, state=HoldState.EXPIRED, by=audit.SYSTEM)
    return True
