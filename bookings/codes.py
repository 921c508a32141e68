"""The one-time code of a booking: derived from the hold's id and the number of the resend.

So a code is in no table, queue, cache or log; a resend makes the one before worthless, and rotating
the ring never strands a code that is on its way.
"""

from collections.abc import Sequence
from uuid import UUID

from docbook import six_digits


def derive(*, key: str, hold_id: UUID, resend: int) -> str:
    """Six digits, with leading zeros."""
    return six_digits.derive(key=key, text=_text(hold_id, resend))


def matches(*, code: str, keys: Sequence[str], hold_id: UUID, resend: int) -> bool:
    """Whether any key of the ring makes this code. Takes the same time whatever is wrong."""
    return six_digits.matches(code=code, keys=keys, text=_text(hold_id, resend))


def _text(hold_id: UUID, resend: int) -> str:
    return f"booking-code:{hold_id}:{resend}"
