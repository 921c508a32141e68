"""The one-time code: derived when needed, stored nowhere.

HMAC-SHA256 (RFC 2104) over the hold's id and the number of the resend, cut to six digits as HOTP
does (RFC 4226, 5.3). So a code is in no table, queue, cache or log; a resend makes the one before
worthless, and rotating the ring never strands a code that is on its way.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

DIGITS = 6


def derive(*, key: str, hold_id: UUID, resend: int) -> str:
    """Six digits, with leading zeros."""
    mac = hmac.new(key.encode(), f"booking-code:{hold_id}:{resend}".encode(), sha256).digest()
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matches(*, code: str, keys: Sequence[str], hold_id: UUID, resend: int) -> bool:
    """Whether any key of the ring makes this code. Takes the same time whatever is wrong."""
    found = False
    for key in keys:
        expected = derive(key=key, hold_id=hold_id, resend=resend)
        found |= hmac.compare_digest(expected.encode(), code.encode())
    return found
