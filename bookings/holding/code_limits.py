"""How many codes go to one mailbox or phone, from all callers and through both doors."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bookings.holding.destinations import code_destination
from bookings.models import Hold
from docbook.errors import RateLimited
from docbook.http.keyed_digest import mailbox_of
from docbook.http.throttling import Limit, enforce, give_back, limit_of


def limits_of(*, patient_id: int | None, email: str, phone: str) -> list[Limit]:
    """The limits of a code to this patient, or to a guest."""
    to = code_destination(patient_id=patient_id, email=email, phone=phone)
    mailbox = mailbox_of(email)
    return limits_to(mailbox=mailbox, phone=to.phone, is_owner=patient_id is not None)


def limits_to(*, mailbox: str, phone: str, is_owner: bool) -> list[Limit]:
    """A code by SMS may still go by mail, so it counts for both.

    A mailbox that belongs to the caller's account has its own count, which strangers cannot use up.
    Any other mailbox gets no more in an hour and in a day than accounts.limits sends to it.
    """
    names = ["codes-to-owner"] if is_owner else ["codes-to", "mail-day"]
    limits = [limit_of(name, named=mailbox) for name in names]
    return [*limits, limit_of("codes-to-phone", named=phone)] if phone else limits


def send_counted(
    send: Callable[[datetime], Hold], *, limits: Sequence[Limit], now: datetime
) -> Hold:
    """Runs `send(now)`, which may send a code, and counts it only if it did. Otherwise anybody
    could use up the codes of somebody else's mailbox. Raises RateLimited, and what `send` raises.
    """
    counted: list[Limit] = []
    sent = False
    try:
        # Counted in advance: of many at once, no more than the limit are sent.
        for limit in limits:
            counted.append(limit)
            _enforce(limit, counted)
        hold = send(now)
        sent = hold.code_sent_at == now
    finally:
        if not sent:  # nothing was sent, so nothing counts
            give_back(*counted)
    return hold


def _enforce(limit: Limit, counted: list[Limit]) -> None:
    """Strangers who fill a mailbox must not keep its owner from booking for a day: one code in ten
    minutes is sent in any case. Mails of accounts have their own, so the owner can sign in.
    """
    try:
        enforce(limit)
    except RateLimited:
        in_any_case = replace(limit, name="codes-any-case")
        if limit.name not in ("codes-to", "mail-day"):
            raise
        if in_any_case not in counted:
            counted.append(in_any_case)
            enforce(in_any_case)
