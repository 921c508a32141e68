"""Holds a time for somebody while they confirm, and gives it back."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from uuid_utils.compat import uuid7

from accounts.services import SignInRefused
from bookings.actors.holder import Holder, keys_of
from bookings.appointments.selectors.alternatives import next_free_times
from bookings.appointments.selectors.appointments import find_visit
from bookings.appointments.services.changes import find_changeable_appointment
from bookings.engine import calls, refused_times, slot_gate
from bookings.engine.calls import HoldAnswer, HoldCall, broken_constraint
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
from bookings.models import Hold, HoldState
from docbook.audit import services as audit
from docbook.errors import DomainError, FieldError
from docbook.fibers import aside, is_inside
from docbook.http.idempotency_key import (
    Answer,
    IdempotencyKey,
    IdempotencyKeyReused,
    recorded_answer,
)
from docbook.observability import request_id
from doctors.models import VisitType

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
    call = _call_of(
        holder,
        offer,
        hold_id=uuid7(),
        slot_id=slot_id,
        visit_type_id=visit_type_id,
        address=address,
        replaces=replaces,
    )
    answer = _hold(call, holder=holder, now=now, instead_of=instead_of)
    hold = _written(answer)
    if replaces and count_request:
        return request_code_of_move(hold, holder=holder, count_request=count_request, now=now)
    return hold


@dataclass(frozen=True)
class Started:
    """The hold that a request has made; for a retry, that of the first request, as it was then."""

    hold: Hold
    is_replay: bool = False


def start_booking(
    *,
    hold_id: UUID,
    slot_id: int,
    visit_type_id: int,
    holder: Holder,
    now: datetime,
    key: IdempotencyKey,
    address: int,
    replaces: UUID | None,
    reason: str,
    phone: str,
) -> Started | Answer:
    """Hold, details from the account, code and the record for retries in one call.

    A move without a `reason` or `phone` keeps those of its visit; without a phone, the account's
    number is used. A retry of a request that was refused gets the answer that was recorded.

    Raises what hold_slot raises, FieldError for a visit by phone without a number,
    IdempotencyKeyReused, or SignInRefused for a disabled account.
    """
    if replaces:
        aside(
            lambda: find_changeable_appointment(
                appointment_id=replaces, by=holder, version=None, now=now
            )
        )
    call = _call_of(
        holder,
        hold_id=hold_id,
        slot_id=slot_id,
        visit_type_id=visit_type_id,
        address=address,
        replaces=replaces,
        with_code=True,
        reason=reason,
        phone=phone,
        key=key.key,
        route=key.route,
        fingerprint=key.fingerprint,
        status=201,
    )
    answer = _hold(call, holder=holder, now=now, mark=key.mark)
    if answer.outcome != "replay":
        return Started(_written(answer))
    first = answer.recorded
    if first is None or first.facts is None:
        return recorded_answer(first)
    return Started(_as_first_made(_written(answer), facts=first.facts), is_replay=True)


def _written(answer: HoldAnswer) -> Hold:
    if answer.hold is None:
        raise AssertionError("a hold was made")
    return answer.hold


def _as_first_made(hold: Hold, *, facts: Mapping[str, str]) -> Hold:
    """As it was when the first request was answered. Codes and renewals may have changed it."""
    hold.state, hold.otp_attempts, hold.otp_resends = HoldState.HELD, 0, 0
    hold.code_sent_at = hold.created_at
    hold.expires_at = datetime.fromisoformat(facts["expires_at"])
    return hold


def _call_of(holder: Holder, offer: OfferTerms | None = None, **asked: Any) -> HoldCall:
    """What is asked for, with who asks and the limits of our settings."""
    patient_id = holder.patient.pk if holder.patient else None
    return HoldCall(
        patient_id=patient_id,
        guest_key=holder.guest_key,
        holder_key=keys_of(patient_id, holder.guest_key)[0],
        actor_kind=(audit.SYSTEM if offer else holder.actor).kind,
        seconds=offer.term.total_seconds() if offer else settings.HOLD_SECONDS,
        most_of_holder=(
            settings.LIVE_HOLDS_PER_PATIENT if holder.patient else settings.LIVE_HOLDS_PER_GUEST
        ),
        most_of_address=settings.LIVE_HOLDS_PER_ADDRESS,
        most_visits=settings.COMING_VISITS_PER_PATIENT,
        waitlist_entry_id=offer.entry_id if offer else None,
        request_id=request_id.current(),
        **asked,
    )


def _hold(
    call: HoldCall,
    *,
    holder: Holder,
    now: datetime,
    instead_of: UUID | None = None,
    mark: str = "",
) -> HoldAnswer:
    """Through the gate to the database. Only a hold leaves a lock behind: a refusal, or the answer
    to an earlier request, keeps nobody away. Offers skip the gate: they come one at a time, often
    before the gate of the patient who gave the time back has opened.
    """
    slot_id, hold_id = call.slot_id, call.hold_id
    keys = keys_of(call.patient_id, call.guest_key)
    passes_gate = call.waitlist_entry_id is None
    if passes_gate:
        passage = slot_gate.enter(
            slot_id=slot_id, hold_id=hold_id, holder_keys=keys, request_mark=mark
        )
        if passage is slot_gate.Passage.REFUSED:
            raise aside(lambda: _gone(SlotHeld, call, now=now))
    is_kept = False
    try:
        answer = _claim(call, holder=holder, instead_of=instead_of, now=now)
        is_kept = answer.outcome == "held"
    finally:
        if not is_kept:
            slot_gate.leave(slot_id=slot_id, hold_id=hold_id)
    if not is_kept and answer.outcome != "replay":
        raise aside(lambda: _refusal(answer, call, now=now))
    if is_kept and passes_gate:
        left = min(timedelta(seconds=call.seconds), _written(answer).expires_at - now)
        slot_gate.keep(slot_id=slot_id, hold_id=hold_id, holder_keys=keys, left=left)
    return answer


def _exchange(call: HoldCall, *, instead_of: UUID, holder: Holder) -> HoldAnswer:
    """Both or neither: if the new time is refused, the old one stays held."""
    with transaction.atomic():
        with suppress(AlreadyConfirmed):  # then it is in nobody's way
            release_hold(hold_id=instead_of, holder=holder)
        answer = calls.hold(call)
        if answer.outcome != "held":
            transaction.set_rollback(True)
    return answer


def _refusal(answer: HoldAnswer, call: HoldCall, *, now: datetime) -> DomainError:
    refusals: dict[str, Callable[[], DomainError]] = {
        "unknown-visit-type": lambda: _unknown("visit_type", "This reason for a visit"),
        "unknown-slot": _unknown_slot,
        "phone-needed": NumberNeeded,
        "other-visit": lambda: FieldError(
            "replaces", "A visit moves to another time of the same doctor and reason."
        ),
        "slot-taken": lambda: _gone(SlotTaken, call, now=now),
        "slot-held": lambda: _gone(SlotHeld, call, now=now),
        "held-before": lambda: _gone(SlotHeld, call, now=now, attempt_id=answer.other_id),
        "held-nearby": lambda: _gone(SlotHeld, call, now=now, overlaps_own=True),
        "patient-busy": lambda: PatientBusy(
            find_visit(pk=answer.other_id, starts_at=answer.other_starts_at)
        ),
        "hold-limit": lambda: HoldLimit(limit=answer.amount),
        "address-limit": lambda: HoldLimit(limit=answer.amount, until=answer.until),
        "appointment-limit": lambda: AppointmentLimit(limit=answer.amount),
        "booking-disabled": lambda: BookingDisabled(
            until=answer.until, message=answer.message, now=now
        ),
        "idempotency-key-reused": IdempotencyKeyReused,
        "outside-booking-window": OutsideBookingWindow,
        "unauthenticated": SignInRefused,
    }
    return refusals[answer.outcome]()


def _unknown_slot() -> FieldError:
    return _unknown("slot", "This time")


def _unknown(field: str, what: str) -> FieldError:
    return FieldError(field, f"{what} does not exist.", field_code="unknown")


def _claim(call: HoldCall, *, holder: Holder, instead_of: UUID | None, now: datetime) -> HoldAnswer:
    """The database's constraint refuses what the call cannot see: a stale hold left by a move whose
    visit has changed. An expired hold is in nobody's way, even before it is swept. Inside a
    transaction it is not swept: the transaction has locked slots, and would lock others out of
    order.
    """
    is_alone = not instead_of and (is_inside() or not connection.in_atomic_block)
    for may_sweep in (is_alone, False):
        try:
            if instead_of:
                return _exchange(call, instead_of=instead_of, holder=holder)
            return calls.hold(call)
        except IntegrityError as error:
            if broken_constraint(error) != "one_live_hold_on_a_slot":
                raise
            if not (may_sweep and aside(lambda: _sweep_doctor_of(call))):
                raise aside(lambda: _gone(SlotHeld, call, now=now)) from error
    raise AssertionError  # the second try answers or raises


def _sweep_doctor_of(call: HoldCall) -> int:
    doctor_id = VisitType.objects.values_list("doctor_id", flat=True).get(pk=call.visit_type_id)
    return sweep_holds(doctor_id=doctor_id)


def _gone(
    refusal: type[SlotHeld] | type[SlotTaken], call: HoldCall, *, now: datetime, **own: Any
) -> DomainError:
    """The refusal with the next free times of the doctor: from this one on, within two weeks. With
    `own`, a hold of theirs is in the way.
    """
    found = next_free_times(
        slot_id=call.slot_id, visit_type_id=call.visit_type_id, moves=call.replaces, now=now
    )
    if found is None:
        return _unknown_slot()
    if not own:
        refused_times.note(call.slot_id)
    return refusal(alternatives=found.times, starts_at=found.wanted_at, **own)
