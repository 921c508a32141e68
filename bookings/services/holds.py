"""Keeping a time for somebody while they confirm, and giving it back."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from uuid_utils.compat import uuid7

from bookings.errors import (
    HoldExpired,
    HoldLimit,
    OutsideBookingWindow,
    PatientBusy,
    SlotHeld,
    SlotTaken,
)
from bookings.gateways import slot_gate
from bookings.holder import Holder, maker_key
from bookings.models import Hold, HoldState
from bookings.selectors.appointments import busy_with
from bookings.selectors.holds import get_hold, is_over, lapsed_hold_ids, live_holds
from bookings.services.releases import announce_release
from docbook.audit import services as audit
from docbook.errors import FieldError
from doctors.models import Slot, VisitType
from doctors.rules import VisitTime, booking_window
from doctors.selectors.slots import times_of_doctor, visit_time_from_slot
from doctors.services import claims

log = structlog.get_logger(__name__)

ALTERNATIVES = 3


def hold_term() -> timedelta:
    return timedelta(seconds=settings.HOLD_SECONDS)


def hold_slot(*, slot_id: int, visit_type_id: int, holder: Holder, now: datetime) -> Hold:
    """Keeps the time that starts with this slot for the holder, for five minutes.

    The rules that need no lock come first, then the gate, then one transaction in which the
    database decides. Raises FieldError (unknown slot or visit type), OutsideBookingWindow,
    HoldLimit, PatientBusy, SlotHeld or SlotTaken; nothing is kept then.
    """
    visit_type = _visit_type(visit_type_id)
    slot = _slot(slot_id, visit_type=visit_type)
    _check_window(slot=slot, visit_type=visit_type, now=now)
    visit_time = visit_time_from_slot(slot=slot, visit_type=visit_type)
    if visit_time is None:
        raise _gone(SlotTaken, slot=slot, visit_type=visit_type, now=now)
    _check_patient(holder=holder, visit_time=visit_time)
    hold = _new_hold(visit_time=visit_time, visit_type=visit_type, holder=holder)
    entered = slot_gate.enter(slot_ids=hold.slot_ids, holder_key=holder.key)
    if entered is None:
        seen = [each.state for each in visit_time.slots]
        raise _gone(_why_not_free(seen), slot=slot, visit_type=visit_type, now=now)
    try:
        with transaction.atomic():
            kept = _keep(hold=hold, holder=holder)
            if not kept:
                transaction.set_rollback(True)
    except BaseException:
        slot_gate.leave(slot_ids=entered, holder_key=holder.key)
        raise
    if not kept:
        slot_gate.leave(slot_ids=entered, holder_key=holder.key)
        present = Slot.objects.filter(pk__in=hold.slot_ids).values_list("state", flat=True)
        raise _gone(_why_not_free(present), slot=slot, visit_type=visit_type, now=now)
    return hold


def release_hold(*, hold_id: UUID, holder: Holder) -> Hold:
    """The holder gives the time back. A hold that is over already stays as it is.

    Raises NotFound for somebody else's hold, HoldExpired for one that became an appointment.
    """
    hold = get_hold(hold_id=hold_id, holder=holder)
    with transaction.atomic():
        lock_hold(hold)
        if hold.state == HoldState.CONFIRMED:
            raise HoldExpired
        if hold.state == HoldState.HELD:
            end_hold(hold, state=HoldState.RELEASED, by=holder.actor)
    return hold


def sweep_holds(*, limit: int = 500) -> int:
    """Marks holds whose time is over and opens their slots; returns how many.

    Only tidies up: a lapsed hold blocks nobody, because every claim looks at the clock itself.
    """
    return sum(_expire_unless_locked(hold_id) for hold_id in lapsed_hold_ids(limit=limit))


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
    slot_ids, key = hold.slot_ids, maker_key(hold)
    transaction.on_commit(lambda: slot_gate.leave(slot_ids=slot_ids, holder_key=key))


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


def _expire_unless_locked(hold_id: UUID) -> bool:
    """One hold that somebody works on just now must not stop the sweep of all others."""
    try:
        return _expire(hold_id)
    except OperationalError:
        log.warning("hold_not_swept", hold_id=str(hold_id))
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


def _visit_type(visit_type_id: int) -> VisitType:
    visit_type = (
        VisitType.objects.select_related("doctor")
        .filter(pk=visit_type_id, is_active=True, doctor__is_active=True)
        .first()
    )
    if visit_type is None:
        raise FieldError(
            "visit_type", "This reason for a visit does not exist.", field_code="unknown"
        )
    return visit_type


def _slot(slot_id: int, *, visit_type: VisitType) -> Slot:
    slot = Slot.objects.filter(pk=slot_id, doctor=visit_type.doctor).first()
    if slot is None:
        raise FieldError("slot", "This time does not exist.", field_code="unknown")
    return slot


def _check_window(*, slot: Slot, visit_type: VisitType, now: datetime) -> None:
    doctor = visit_type.doctor
    earliest, latest = booking_window(
        now=now, min_notice_minutes=doctor.min_notice_minutes, horizon_days=doctor.horizon_days
    )
    if not earliest <= slot.starts_at < latest:
        raise OutsideBookingWindow


def _check_patient(*, holder: Holder, visit_time: VisitTime) -> None:
    if holder.patient is None:
        return
    other = busy_with(
        patient=holder.patient, starts_at=visit_time.starts_at, ends_at=visit_time.ends_at
    )
    if other:
        raise PatientBusy(other)


def _new_hold(*, visit_time: VisitTime, visit_type: VisitType, holder: Holder) -> Hold:
    return Hold(
        id=uuid7(),
        doctor_id=visit_time.doctor_id,
        clinic_id=visit_time.slots[0].clinic_id,
        visit_type=visit_type,
        slot_ids=[slot.id for slot in visit_time.slots],
        starts_at=visit_time.starts_at,
        ends_at=visit_time.ends_at,
        patient=holder.patient,
        guest_key=None if holder.patient else holder.guest_key,
    )


def _keep(*, hold: Hold, holder: Holder) -> bool:
    """Inside the transaction: count the holder's holds, claim the slots, write the hold."""
    _check_hold_limit(holder=holder)
    claim = claims.claim_slots(slot_ids=hold.slot_ids, hold_id=hold.pk, term=hold_term())
    if claim is None:
        return False
    for lapsed in Hold.objects.filter(pk__in=claim.lapsed, state=HoldState.HELD):
        _mark(lapsed, state=HoldState.EXPIRED, by=audit.SYSTEM)
        _open_the_rest_after_commit(lapsed)
    hold.expires_at = claim.held_until
    hold.save(force_insert=True)
    audit.record(
        action="hold.created",
        by=holder.actor,
        on=("hold", hold.pk),
        after={"state": hold.state, "slots": hold.slot_ids},
    )
    return True


def _open_the_rest_after_commit(lapsed: Hold) -> None:
    """Of a lapsed hold of several slots one may have been claimed. The others are opened in a
    transaction of their own: taken now, their locks would break the order of ids.
    """
    slot_ids, hold_id = lapsed.slot_ids, lapsed.pk
    transaction.on_commit(lambda: _give_back(slot_ids=slot_ids, hold_id=hold_id))


def _give_back(*, slot_ids: list[int], hold_id: UUID) -> None:
    with transaction.atomic():
        claims.lock_slots(slot_ids=slot_ids)
        claims.give_back_slots(slot_ids=slot_ids, hold_id=hold_id)


def _check_hold_limit(*, holder: Holder) -> None:
    limit = settings.LIVE_HOLDS_PER_PATIENT if holder.patient else settings.LIVE_HOLDS_PER_GUEST
    with connection.cursor() as cursor:
        # Two requests of one holder would both count before either has inserted.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [holder.key])
    if live_holds(holder=holder).count() >= limit:
        raise HoldLimit(limit=limit)


def _why_not_free(states: Iterable[str]) -> type[SlotHeld] | type[SlotTaken]:
    """What is held may come back; what is booked or blocked will not, whoever is at the gate."""
    return SlotHeld if set(states) <= {"open", "held"} else SlotTaken


def _gone(
    refusal: type[SlotHeld] | type[SlotTaken], *, slot: Slot, visit_type: VisitType, now: datetime
) -> SlotHeld | SlotTaken:
    """The refusal with the next free times of the doctor: from this one on, within two weeks."""
    free, _on_hold = times_of_doctor(
        doctor=visit_type.doctor,
        visit_type=visit_type,
        start=slot.starts_at,
        end=slot.starts_at + timedelta(days=14),
        now=now,
    )
    others = [time for time in free if time.slot_id != slot.pk]
    return refusal(alternatives=others[:ALTERNATIVES], starts_at=slot.starts_at)
