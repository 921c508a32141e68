"""Who comes, and the code that proves their address."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import transaction

from bookings.actors.holder import Holder, keys_of
from bookings.appointments.services.moves import details_that_move
from bookings.engine import slot_gate
from bookings.engine.selectors import get_hold
from bookings.engine.services import lock_hold
from bookings.errors import AlreadyConfirmed, DetailsMissing, HoldExpired, NumberNeeded
from bookings.models import Hold, HoldState
from bookings.models.holds import MAX_CODE_RESENDS
from docbook.audit import services as audit
from docbook.errors import FieldError, RateLimited
from docbook.http.keyed_digest import mailbox_of, target_of
from docbook.http.throttling import Limit, enforce, give_back, limit_of
from docbook.notify.masking import masked_email, masked_phone
from docbook.notify.phone_numbers import international
from docbook.outbox.services import publish
from doctors.services import claims


@dataclass(frozen=True)
class Details:
    """Who comes and how we reach them. `email` is a guest's: a signed-in patient has their own."""

    first_name: str
    last_name: str
    email: str = ""
    phone: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Recipient:
    """A patient, or a guest without `patient_id`, before they stand in a hold."""

    patient_id: int | None
    email: str
    phone: str


@dataclass(frozen=True)
class Destination:
    """An e-mail address, or a phone number as E.164 writes it."""

    channel: Literal["email", "sms"]
    address: str

    @property
    def masked(self) -> str:
        mask = masked_phone if self.channel == "sms" else masked_email
        return mask(self.address)


def destination_of(to: Hold | Recipient) -> Destination:
    """Only a signed-in patient gets an SMS. A guest's code proves that the e-mail address is theirs
    and opens its account. A code on anybody's phone must never do that.
    """
    may_be_sms = settings.CODE_CHANNEL == "sms" and to.patient_id is not None
    if may_be_sms and (number := international(to.phone)):
        return Destination("sms", number)
    return Destination("email", to.email)


def request_code(*, hold_id: UUID, holder: Holder, details: Details, now: datetime) -> Hold:
    """Writes the details into the hold and has a code sent.

    The first time, it renews the hold to its full term. Later, another address or number gets a new
    code, which counts as a resend and makes the old one invalid; the same one gets nothing twice.
    The code goes out after commit, so the answer never waits for it. Raises NotFound, HoldExpired,
    RateLimited (no code left), NumberNeeded or FieldError (a guest's other address for a visit
    that moves: its code would open another account than the visit's).
    """
    patient, hold = holder.patient, get_hold(hold_id=hold_id, holder=holder)
    email = (patient.address if patient else details.email).lower()
    to = Recipient(patient.pk if patient else None, email, details.phone)
    with ExitStack() as unsent:
        _count_code(to, unsent=unsent)
        with transaction.atomic():
            lock_live_hold(hold)
            if hold.replaces and patient is None:
                _refuse_other_address(email, moves=hold.replaces)
            first, before = hold.code_sent_at is None, destination_of(hold)
            for name, given in asdict(replace(details, email=email)).items():
                setattr(hold, name, given)
            hold.guess_target = target_of(email)
            hold.patient = patient or hold.patient
            if hold.needs_number:
                raise NumberNeeded
            term = timedelta(seconds=settings.HOLD_SECONDS)
            moved = destination_of(hold) != before
            if first:
                until = claims.renew_slots(
                    slot_ids=hold.slot_ids,
                    hold_id=hold.pk,
                    replaces=hold.replaces,
                    term=term,
                    latest=hold.starts_at,
                )
                if until is None:
                    raise HoldExpired
                hold.expires_at = until
            elif moved:
                _count_resend(hold)
            if first or moved:
                _send_code(hold, by=holder.actor, now=now)
            else:
                hold.save()
            # Closes the gate for as long as the hold now lasts, for the guest as for the account.
            keep = partial(
                slot_gate.keep,
                slot_id=hold.slot_ids[0],
                hold_id=hold.pk,
                holder_keys=keys_of(hold.patient_id, hold.guest_key),
                left=min(term, hold.expires_at - now),
            )
            transaction.on_commit(keep)
        if first or moved:
            unsent.pop_all()
    return hold


def known_details(hold: Hold, *, holder: Holder) -> dict[str, str]:
    """The details entered before, for this time or the one that moves; otherwise the account's."""
    patient = holder.patient
    if hold.code_sent_at:
        return {each.name: getattr(hold, each.name) for each in fields(Details)}
    if hold.replaces:
        moved = get_hold(hold_id=hold.replaces, holder=holder)
        return details_that_move(moved, clinic_id=hold.clinic_id)
    names = ("first_name", "last_name", "phone") if patient else ()
    return {name: getattr(patient, name) for name in names}


def request_code_of_move(
    hold: Hold, *, holder: Holder, count_request: Callable[[], None], now: datetime
) -> Hold:
    """A move already knows the patient, so its code goes out at once. Returns the hold as it was if
    something has to be entered or waited for.

    `count_request` counts for the sender's limits, and raises RateLimited. It is called only if
    there is somebody to send a code to.
    """
    details = Details(**known_details(hold, holder=holder))
    email = holder.patient.email if holder.patient else details.email
    if not (details.first_name and details.last_name and email):
        return hold
    try:
        count_request()
        return request_code(hold_id=hold.pk, holder=holder, details=details, now=now)
    except (RateLimited, HoldExpired, NumberNeeded):
        return hold


def resend_code(*, hold_id: UUID, holder: Holder, now: datetime) -> Hold:
    """Has a new code sent; the old one stops working.

    Raises NotFound, HoldExpired, DetailsMissing, or RateLimited within 30 s of the last code, after
    the third resend, and if the recipient has had too many codes.
    """
    hold = get_hold(hold_id=hold_id, holder=holder)
    with ExitStack() as unsent:
        _count_code(hold, unsent=unsent)
        with transaction.atomic():
            lock_live_hold(hold)
            if hold.code_sent_at is None:
                raise DetailsMissing
            if wait := seconds_until_resend(hold=hold, now=now):
                raise RateLimited(retry_after=wait)
            _count_resend(hold)
            _send_code(hold, by=holder.actor, now=now)
        unsent.pop_all()
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
    if hold.state != HoldState.HELD or hold.is_over:
        raise HoldExpired


def _refuse_other_address(email: str, *, moves: UUID) -> None:
    if Hold.objects.filter(pk=moves).exclude(email=email).exists():
        message = "A visit moves with the address that it was booked with."
        raise FieldError("email", message, field_code="other-address")


def _count_resend(hold: Hold) -> None:
    if hold.otp_resends >= MAX_CODE_RESENDS:
        raise RateLimited(retry_after=settings.HOLD_SECONDS)
    hold.otp_resends += 1


def _send_code(hold: Hold, *, by: audit.Actor, now: datetime) -> None:
    hold.code_sent_at = now
    hold.save()
    audit.record(
        action="hold.code_requested",
        by=by,
        on=("hold", hold.pk),
        after={"resends": hold.otp_resends},
    )
    publish("otp.requested", about=hold.pk, hold_id=hold.pk, resend=hold.otp_resends)


def _count_code(to: Hold | Recipient, *, unsent: ExitStack) -> None:
    """Counts a code for this recipient; `unsent` gives the count back. If codes counted that were
    not sent, anybody could use up the codes of somebody else.

    A code by SMS may still go by mail, so it counts for both. The mailbox of the account that asks
    has its own count, which strangers cannot use up. Any other mailbox gets no more in an hour and
    in a day than accounts.limits allows. Strangers who fill a mailbox must not keep its owner from
    booking for a day, so one code in ten minutes always goes out. The mails of accounts have their
    own: the owner can sign in. Raises RateLimited.
    """
    names = ["codes-to", "mail-day"] if to.patient_id is None else ["codes-to-owner"]
    limits = [limit_of(name, named=mailbox_of(to.email)) for name in names]
    destination = destination_of(to)
    if destination.channel == "sms":
        limits.append(limit_of("codes-to-phone", named=destination.address))
    counted: list[Limit] = []
    unsent.callback(lambda: give_back(*counted))  # limits after one that refuses count nothing
    # Counts ahead: of many requests at once, only as many as the limit are sent.
    for limit in limits:
        counted.append(limit)
        try:
            enforce(limit)
        except RateLimited:
            in_any_case = replace(limit, name="codes-any-case")
            if limit.name not in ("codes-to", "mail-day"):
                raise
            if in_any_case not in counted:
                counted.append(in_any_case)
                enforce(in_any_case)
