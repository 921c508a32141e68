"""How many codes go to one mailbox or phone, whoever asks for them and by whichever door."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bookings.destinations import code_destination
from bookings.models import Hold
from docbook.http.keyed_digest import mailbox_of
from docbook.http.throttling import Limit, enforce, give_back, limit_of


def limits_of(*, patient_id: int | None, email: str, phone: str) -> list[Limit]:
    """Of a code to this patient, or to a guest."""
    to = code_destination(patient_id=patient_id, email=email, phone=phone)
    mailbox = mailbox_of(email)
    return limits_to(mailbox=mailbox, phone=to.phone, is_owner=patient_id is not None)


def limits_to(*, mailbox: str, phone: str, is_owner: bool) -> list[Limit]:
    """A code by SMS may still go by mail, so it counts for both.

    A mailbox that belongs to the account that asks has a count of its own, which strangers cannot
    use up.
    """
    limits = [limit_of("codes-to-owner" if is_owner else "codes-to", named=mailbox)]
    return [*limits, limit_of("codes-to-phone", named=phone)] if phone else limits


def send_counted(
    send: Callable[[datetime], Hold], *, limits: Sequence[Limit], now: datetime
) -> Hold:
    """Runs `send(now)`, which may have a code sent, and counts it only if it did: else anybody
    could use up what somebody else's mailbox may get. Raises RateLimited, and what `send` raises.
    """
    sent = False
    try:
        # Ahead, so that of many at once no more than the limit are sent.
        enforce(*limits)
        hold = send(now)
        sent = hold.code_sent_at == now
    finally:
        if not sent:
            give_back(*limits)
    return hold
