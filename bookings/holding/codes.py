"""The one-time code of a booking: derived from the hold's id and the number of the resend.

So no table, queue, cache or log contains a code. A resend makes the earlier code invalid. A
rotation of the ring never breaks a code that is on its way.

If strangers have entered many wrong codes for a mailbox, codes of six digits are not checked any
more that day. Then its owner gets a long code, which nobody can guess.
"""

import hmac
from base64 import b32encode
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from docbook import six_digits

LONG = 12
# Names a code by its hold and the number of its resend.
_TEXT = "booking-code:{}:{}"


def derive(*, key: str, hold_id: UUID, resend: int) -> str:
    """Six digits, with leading zeros."""
    return six_digits.derive(key=key, text=_TEXT.format(hold_id, resend))


def derive_long(*, key: str, hold_id: UUID, resend: int) -> str:
    """Twelve letters, and digits from 2 to 7: sixty bits."""
    text = f"long-{_TEXT.format(hold_id, resend)}"
    return b32encode(hmac.new(key.encode(), text.encode(), sha256).digest())[:LONG].decode()


def matches(*, code: str, keys: Sequence[str], hold_id: UUID, resend: int) -> bool:
    """Whether any key of the ring makes this code. Takes the same time whatever is wrong."""
    if len(code) != LONG:
        text = _TEXT.format(hold_id, resend)
        return six_digits.matches(code=code, keys=keys, text=text)
    found = False
    for key in keys:
        long = derive_long(key=key, hold_id=hold_id, resend=resend)
        found |= hmac.compare_digest(long.encode(), code.encode())
    return found
