"""Giving times back: by their holder, when they are over, and telling those who wait for them."""

from collections.abc import Callable
from uuid import UUID

import structlog
from django.db import OperationalError, connection, transaction

from bookings.actors.holder import Holder, keys_of
from bookings.engine import slot_gate
from bookings.engine.selectors import get_hold, is_over, lapsed_hold_ids
from bookings.errors import AlreadyConfirmed
from bookings.models import Hold, HoldState
from docbook.audit import services as audit
from doctors.services import claims

log = structlog.get_logger(__name__)


def release_hold(*, hold_id: UUID, holder: Holder) -> Hold:
    """The holder gives the time back. A hold that is over already stays as it is.

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
    """Marks holds whose time is over and opens their slots; returns how many. Of one doctor, or of
    all.

    Only tidies up: a lapsed hold blocks nobody, because every claim looks at the clock itself.
    """
    lapsed = lapsed_hold_ids(limit=limit, doctor_id=doctor_id)
    return sum(_end_unless_locked(hold_id, _expire) for hold_id in lapsed)


def end_other_moves(*, appointment_id: UUID, by: audit.Actor) -> None:
    """Belongs into every transaction that moves a visit or calls it off: a time that is still kept
    to move it to can be nobody's visit any more. After the commit, each in a transaction of its
    own, because slots are locked before holds; what is not ended here lapses by itself.
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

    transaction.on_commit(end_all, robust=True)  # the visit has changed, whatever happens here


def lock_hold(hold: Hold) -> None:
    """Locks slots, then the hold, and reads the hold's present state into the object."""
    claims.lock_slots(slot_ids=hold.slot_ids)
    locked = Hold.objects.select_for_update().get(pk=hold.pk)
    for field in Hold._meta.concrete_fields:
        setattr(hold, field.attname, getattr(locked, field.attname))


def end_hold(hold: Hold, *, state: HoldState, by: audit.Actor) -> None:
    """Opens the slots of a locked hold and says why in its state; the gate opens after commit."""
    claims.give_back_slots(slot_ids=hold.slot_ids, hold_id=hold.pk)
    _mark(hold, state=state, by=by)
    announce_release(doctor_id=hold.doctor_id, slot_ids=hold.slot_ids)
    open_gate_after_commit(hold)


def open_gate_after_commit(hold: Hold) -> None:
    """What nobody is confirming any more needs no gate."""
    first, hold_id, keys = hold.slot_ids[0], hold.pk, keys_of(hold.patient_id, hold.guest_key)
    transaction.on_commit(lambda: slot_gate.leave(slot_id=first, hold_id=hold_id, holder_keys=keys))


def announce_release(*, doctor_id: int, slot_ids: list[int]) -> None:
    """Belongs into every transaction that gives slots back. Says nothing where nobody waits.

    Publishes `slot.released` in the database, which does so by itself when a move or a fifth wrong
    code gives a time back; see bookings/migrations/sql.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bookings_announce_release(%s, %s::bigint[])", [doctor_id, sorted(slot_ids)]
        )


def _mark(hold: Hold, *, state: HoldState, by: audit.Actor) -> None:
    hold.state = state
    hold.save(update_fields=["state"])
    audit.record(
        action=f"hold.{state.value}",
        by=by,
        on=("hold", hold.pk),
        before={"state": HoldState.HELD.value},
        after={"state": state.value},
    )


def _end_unless_locked(hold_id: UUID, end: Callable[[UUID], bool]) -> bool:
    """One hold that somebody works on just now must not stop what is done to all others."""
    try:
        return end(hold_id)
    except OperationalError:
        log.warning("hold_not_ended", hold_id=str(hold_id))
        return False


def _expire(hold_id: UUID) -> bool:
    with transaction.atomic():
        hold = Hold.objects.get(pk=hold_id)
        lock_hold(hold)
        # Between the look and the lock it may have been confirmed, released or renewed.
        if hold.state != HoldState.HELD or not is_over(hold.pk):
            return False
        end_hold(hold, state=HoldState.EXPIRED, by=audit.SYSTEM)
    return True
