"""Who comes, and the code that proves their address."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.guesses import target_of
from bookings.actors.holder import Holder, keys_of
from bookings.engine import slot_gate
from bookings.engine.selectors import get_hold, is_over
from bookings.engine.services import lock_hold
from bookings.errors import AlreadyConfirmed, DetailsMissing, HoldExpired, NumberNeeded
from bookings.holding.destinations import destination_of
from bookings.holding.services.holds import hold_term
from bookings.models import Hold, HoldState
from bookings.models.holds import MAX_CODE_RESENDS
from docbook.audit import services as audit
from docbook.errors import FieldError, RateLimited
from docbook.outbox.services import publish
from doctors.services import claims


@dataclass(frozen=True)
class Details:
    """Who comes and how we reach them. `email` in lower case; a signed-in patient's own."""

    first_name: str
    last_name: str
    email: str
    phone: str = ""
    reason: str = ""


def request_code(*, hold_id: UUID, holder: Holder, details: Details, now: datetime) -> Hold:
    """Writes the details into the hold and has a code sent.

    The first time, it renews the hold to its full term. Later, another address or number gets a new
    code, which counts as a resend and makes the old one invalid; the same one gets nothing twice.
    The code goes out after commit, so the answer never waits for it. Raises NotFound, HoldExpired,
    RateLimited (no resend left), NumberNeeded or FieldError (a guest's other address for a visit
    that moves: its code would open another account than the visit's).
    """
    hold = get_hold(hold_id=hold_id, holder=holder)
    with transaction.atomic():
        lock_live_hold(hold)
        if hold.replaces and holder.patient is None:
            _refuse_other_address(details.email, moves=hold.replaces)
        first, before = hold.code_sent_at is None, destination_of(hold)
        _fill_in(hold, holder=holder, details=details)
        if hold.needs_number:
            raise NumberNeeded
        moved = destination_of(hold) != before
        if first:
            _renew(hold)
        elif moved:
            _count_resend(hold)
        hold.save()
        if first or moved:
            _send_code(hold, by=holder.actor, now=now)
        _keep_gate_after_commit(hold, now=now)
    return hold


def resend_code(*, hold_id: UUID, holder: Holder, now: datetime) -> Hold:
    """Has a new code sent; the old one stops working.

    Raises NotFound, HoldExpired, DetailsMissing, or RateLimited within 30 s of the last code and
    after the third resend.
    """
    hold = get_hold(hold_id=hold_id, holder=holder)
    with transaction.atomic():
        lock_live_hold(hold)
        if hold.code_sent_at is None:
            raise DetailsMissing
        if wait := seconds_until_resend(hold=hold, now=now):
            raise RateLimited(retry_after=wait)
        _count_resend(hold)
        _send_code(hold, by=holder.actor, now=now)
    return hold


def resend_at(hold: Hold) -> datetime | None:
    """When another code may be requested; None before the first and after the last."""
    if hold.code_sent_at is None or hold.otp_resends >= MAX_CODE_RESENDS:
        return None
    return hold.code_sent_at + timedelta(seconds=settings.CODE_RESEND_SECONDS)


def seconds_until_resend(*, hold: Hold, now: datetime) -> int:
    """Whole seconds until another code may be requested; 0 means now, or never."""
    moment = resend_at(hold)
    return max(0, ceil((moment - now).total_seconds())) if moment else 0


def lock_live_hold(hold: Hold) -> None:
    """Raises HoldExpired unless the hold is held and has not expired. For a hold that became an
    appointment, raises its subclass AlreadyConfirmed.
    """
    lock_hold(hold)
    if hold.state == HoldState.CONFIRMED:
        raise AlreadyConfirmed
    if hold.state != HoldState.HELD or is_over(hold.pk):
        raise HoldExpired


def _refuse_other_address(email: str, *, moves: UUID) -> None:
    if Hold.objects.filter(pk=moves).exclude(email=email).exists():
        message = "A visit moves with the address that it was booked with."
        raise FieldError("email", message, field_code="other-address")


def _renew(hold: Hold) -> None:
    until = claims.renew_slots(
        slot_ids=hold.slot_ids,
        hold_id=hold.pk,
        replaces=hold.replaces,
        term=hold_term(),
        latest=hold.starts_at,
    )
    if until is None:
        raise HoldExpired
    hold.expires_at = until


def _keep_gate_after_commit(hold: Hold, *, now: datetime) -> None:
    """Closes the gate for as long as the hold now lasts, for the guest as for the account."""
    first, hold_id, keys = hold.slot_ids[0], hold.pk, keys_of(hold.patient_id, hold.guest_key)
    left = min(hold_term(), hold.expires_at - now)
    transaction.on_commit(
        lambda: slot_gate.keep(slot_id=first, hold_id=hold_id, holder_keys=keys, left=left)
    )


def _count_resend(hold: Hold) -> None:
    if hold.otp_resends >= MAX_CODE_RESENDS:
        raise RateLimited(retry_after=settings.HOLD_SECONDS)
    hold.otp_resends += 1


def _fill_in(hold: Hold, *, holder: Holder, details: Details) -> None:
    hold.first_name, hold.last_name = details.first_name, details.last_name
    hold.email, hold.phone, hold.reason = details.email, details.phone, details.reason
    hold.guess_target = target_of(details.email)
    if holder.patient is not None:
        hold.patient = holder.patient


def _send_code(hold: Hold, *, by: audit.Actor, now: datetime) -> None:
    hold.code_sent_at = now
    hold.save(update_fields=["code_sent_at", "otp_resends"])
    audit.record(
        action="hold.code_requested",
        by=by,
        on=("hold", hold.pk),
        after={"resends": hold.otp_resends},
    )
    publish("otp.requested", about=hold.pk, hold_id=hold.pk, resend=hold.otp_resends)
