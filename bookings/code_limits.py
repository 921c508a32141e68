"""How many codes go to one mailbox or phone, whoever asks for them and by whichever door."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bookings.destinations import code_destination
from bookings.models import Hold
from docbook.http.throttling import Limit, by_mailbox, by_phone, enforce, give_back, mailbox_of


def limits_of(*, patient_id: int | None, email: str, phone: str) -> list[Limit]:
    """A code by SMS may still go by mail, so it counts for both."""
    to = code_destination(patient_id=patient_id, email=email, phone=phone)
    mailbox = by_mailbox(mailbox_of(email))
    return [mailbox, by_phone(to.phone)] if to.phone else [mailbox]


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
