"""Holds a time for somebody while they confirm, and gives it back."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import DEFERRED
from uuid_utils.compat import uuid7

from accounts.services import SignInRefused
from bookings.actors.holder import Holder, keys_of
from bookings.appointments.selectors.alternatives import next_free_times
from bookings.appointments.selectors.appointments import find_visit
from bookings.appointments.services.changes import find_changeable_appointment
from bookings.engine import slot_gate
from bookings.engine.calls import HoldCall, HoldResult, broken_constraint, decide
from bookings.engine.services import release_hold, sweep_holds
from bookings.errors import (
    AlreadyConfirmed,
    AppointmentLimit,
    BookingDisabled,
    HoldLimit,
    NumberNeeded,
    OutsideBookingWindow,
    PatientBusy,
    SlotHeld,
    SlotTaken,
)
from bookings.holding.services.codes import request_code_of_move
from bookings.models import Hold
from bookings.models.agreed import AGREED
from docbook.audit import services as audit
from docbook.errors import DomainError, FieldError
from docbook.http.idempotency_key import Answer, IdempotencyKey, IdempotencyKeyReused
from docbook.observability import request_id
from doctors.models import VisitType
from doctors.services import claims

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OfferTerms:
    """A hold made for somebody on the waitlist, and how long they have."""

    entry_id: UUID
    term: timedelta


def hold_slot(
    *,
    slot_id: int,
    visit_type_id: int,
    holder: Holder,
    now: datetime,
    address: int | None = None,
    replaces: UUID | None = None,
    offer: OfferTerms | None = None,
    instead_of: UUID | None = None,
    count_request: Callable[[], None] | None = None,
) -> Hold:
    """Holds the time that starts with this slot for the holder, for five minutes.

    The gate comes first, then one call in which the database decides by its own clock. `address` is
    `address_key()` of the client, to count its holds. `replaces` is the visit that a confirmation
    moves. `instead_of` is a hold of theirs that is given back if they get this one, and stays if
    they do not. With `count_request`, a move's code goes out at once; see request_code_of_move.

    Raises FieldError (unknown slot or visit type), BookingDisabled, OutsideBookingWindow,
    HoldLimit, AppointmentLimit, PatientBusy, SlotHeld, SlotTaken, NotFound (`instead_of` is not
    theirs), and the errors of find_changeable_appointment for a visit that cannot be moved. Then
    nothing has changed.
    """
    if replaces and not offer:  # the waitlist checks what an offer moves
        find_changeable_appointment(appointment_id=replaces, by=holder, version=None, now=now)
    hold_id = uuid7()
    result = _hold(
        hold_id=hold_id,
        slot_id=slot_id,
        visit_type_id=visit_type_id,
        holder=holder,
        now=now,
        address=address,
        replaces=replaces,
        offer=offer,
        instead_of=instead_of,
    )
    # As it was written, not read again. Relations, and what is agreed, load when looked at.
    hold = Hold(
        id=hold_id,
        doctor_id=result.doctor_id,
        clinic_id=result.clinic_id,
        visit_type_id=visit_type_id,
        slot_ids=result.slot_ids,
        starts_at=result.starts_at,
        ends_at=result.ends_at,
        expires_at=result.expires_at,
        patient_id=holder.patient.pk if holder.patient else None,
        guest_key=None if holder.patient else holder.guest_key,
        replaces=replaces,
        waitlist_entry_id=offer.entry_id if offer else None,
        made_from=address,
        **dict.fromkeys(AGREED, DEFERRED),
    )
    hold._state.adding = False
    hold._state.db = connection.alias
    if replaces and count_request:
        return request_code_of_move(hold, holder=holder, count_request=count_request, now=now)
    return hold


def start_booking(
    *,
    hold_id: UUID,
    slot_id: int,
    visit_type_id: int,
    holder: Holder,
    now: datetime,
    key: IdempotencyKey,
    answer: Answer,
    address: int,
    replaces: UUID | None,
    reason: str,
    phone: str,
) -> Answer:
    """Hold, details from the account, code and recorded answer in one call.

    The door lays out `answer`, with "{name}" for values that the database fills in. It comes back
    filled in, or as it was recorded for this key. A move without a `reason` or `phone` keeps those
    of its visit; without a phone, the account's number is used.

    Raises what hold_slot raises, FieldError for a visit by phone without a number,
    IdempotencyKeyReused, or SignInRefused for a disabled account.
    """
    if replaces:
        find_changeable_appointment(appointment_id=replaces, by=holder, version=None, now=now)
    result = _hold(
        hold_id=hold_id,
        slot_id=slot_id,
        visit_type_id=visit_type_id,
        holder=holder,
        now=now,
        address=address,
        replaces=replaces,
        mark=key.mark,
        with_code=True,
        reason=reason,
        phone=phone,
        key=key.key,
        route=key.route,
        fingerprint=key.fingerprint,
        status=answer.status,
        body=answer.body,
        location=answer.location,
    )
    if result.outcome == "replay":
        return Answer(result.amount, result.words, result.location, is_replay=True)
    return Answer(answer.status, result.words, answer.location)


def _hold(
    *,
    hold_id: UUID,
    slot_id: int,
    visit_type_id: int,
    holder: Holder,
    now: datetime,
    address: int | None,
    replaces: UUID | None,
    offer: OfferTerms | None = None,
    instead_of: UUID | None = None,
    mark: str = "",
    **answer: Any,
) -> HoldResult:
    """Through the gate to the database. Only a hold leaves a lock behind: a refusal, or the answer
    to an earlier request, keeps nobody away. Offers skip the gate: they come one at a time, often
    before the gate of the patient who gave the time back has opened.
    """
    patient_id = holder.patient.pk if holder.patient else None
    keys = keys_of(patient_id, holder.guest_key)
    call = HoldCall(
        hold_id=hold_id,
        slot_id=slot_id,
        visit_type_id=visit_type_id,
        patient_id=patient_id,
        guest_key=holder.guest_key,
        holder_key=keys[0],
        actor_kind=(audit.SYSTEM if offer else holder.actor).kind,
        address=address,
        term=offer.term if offer else timedelta(seconds=settings.HOLD_SECONDS),
        resend_after=timedelta(seconds=settings.CODE_RESEND_SECONDS),
        most_of_holder=(
            settings.LIVE_HOLDS_PER_PATIENT if holder.patient else settings.LIVE_HOLDS_PER_GUEST
        ),
        most_of_address=settings.LIVE_HOLDS_PER_ADDRESS,
        most_visits=settings.COMING_VISITS_PER_PATIENT,
        replaces=replaces,
        waitlist_entry_id=offer.entry_id if offer else None,
        by_sms=settings.CODE_CHANNEL == "sms",
        request_id=request_id.current(),
        **answer,
    )
    if not offer:
        passage = slot_gate.enter(
            slot_id=slot_id, hold_id=hold_id, holder_keys=keys, request_mark=mark
        )
        if passage is slot_gate.Passage.REFUSED:
            raise _gone(SlotHeld, call, now=now)
    is_kept = False
    try:
        result = _claim(call, holder=holder, instead_of=instead_of, now=now)
        is_kept = result.outcome == "held"
    finally:
        if not is_kept:
            slot_gate.leave(slot_id=slot_id, hold_id=hold_id)
    if not is_kept and result.outcome != "replay":
        raise _refusal(result, call, now=now)
    if is_kept and not offer:
        left = min(call.term, result.expires_at - now)
        slot_gate.keep(slot_id=slot_id, hold_id=hold_id, holder_keys=keys, left=left)
    if result.lapsed:
        _open_the_rest(result.lapsed)
    return result


def _exchange(call: HoldCall, *, instead_of: UUID, holder: Holder) -> HoldResult:
    """Both or neither: if the new time is refused, the old one stays held."""
    with transaction.atomic():
        with suppress(AlreadyConfirmed):  # then it is in nobody's way
            release_hold(hold_id=instead_of, holder=holder)
        result = decide(call)
        if result.outcome != "held":
            transaction.set_rollback(True)
    return result


def _refusal(result: HoldResult, call: HoldCall, *, now: datetime) -> DomainError:
    refusals: dict[str, Callable[[], DomainError]] = {
        "unknown-visit-type": lambda: _unknown("visit_type", "This reason for a visit"),
        "unknown-slot": _unknown_slot,
        "phone-needed": NumberNeeded,
        "other-visit": lambda: FieldError(
            "replaces", "A visit moves to another time of the same doctor and reason."
        ),
        "slot-taken": lambda: _gone(SlotTaken, call, now=now),
        "slot-held": lambda: _gone(
            SlotHeld,
            call,
            now=now,
            attempt_id=result.other_id,
            overlaps_own=result.other_starts_at is not None,
        ),
        "patient-busy": lambda: PatientBusy(
            find_visit(pk=result.other_id, starts_at=result.other_starts_at)
        ),
        "hold-limit": lambda: HoldLimit(limit=result.amount, until=result.until),
        "appointment-limit": lambda: AppointmentLimit(limit=result.amount),
        "booking-disabled": lambda: BookingDisabled(
            until=result.until, message=result.words, now=now
        ),
        "idempotency-key-reused": IdempotencyKeyReused,
        "outside-booking-window": OutsideBookingWindow,
        "unauthenticated": SignInRefused,
    }
    return refusals[result.outcome]()


def _unknown_slot() -> FieldError:
    return _unknown("slot", "This time")


def _unknown(field: str, what: str) -> FieldError:
    return FieldError(field, f"{what} does not exist.", field_code="unknown")


def _claim(call: HoldCall, *, holder: Holder, instead_of: UUID | None, now: datetime) -> HoldResult:
    """The database's constraint refuses what the call cannot see: a stale hold left by a move whose
    visit has changed. An expired hold is in nobody's way, even before it is swept. Inside a
    transaction it is not swept: the transaction has locked slots, and would lock others out of
    order.
    """
    is_alone = not (instead_of or connection.in_atomic_block)
    for may_sweep in (is_alone, False):
        try:
            if instead_of:
                return _exchange(call, instead_of=instead_of, holder=holder)
            return decide(call)
        except IntegrityError as error:
            if broken_constraint(error) != "one_live_hold_on_a_slot":
                raise
            if not (may_sweep and _sweep_doctor_of(call)):
                raise _gone(SlotHeld, call, now=now) from error
    raise AssertionError  # the second try answers or raises


def _sweep_doctor_of(call: HoldCall) -> int:
    doctor_id = VisitType.objects.values_list("doctor_id", flat=True).get(pk=call.visit_type_id)
    return sweep_holds(doctor_id=doctor_id)


def _gone(
    refusal: type[SlotHeld] | type[SlotTaken], call: HoldCall, *, now: datetime, **own: Any
) -> DomainError:
    """The refusal with the next free times of the doctor: from this one on, within two weeks."""
    found = next_free_times(
        slot_id=call.slot_id, visit_type_id=call.visit_type_id, moves=call.replaces, now=now
    )
    if found is None:
        return _unknown_slot()
    return refusal(alternatives=found.times, starts_at=found.wanted_at, **own)


def _open_the_rest(slot_ids: list[int]) -> None:
    """An expired hold of several slots was claimed in part. The other slots are opened in their own
    transaction: in the claim's, their locks would break the order of ids.
    """
    transaction.on_commit(lambda: claims.open_lapsed_slots(slot_ids=slot_ids))
