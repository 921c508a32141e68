"""Six digits that are derived when needed and stored nowhere.

HMAC-SHA256 (RFC 2104) over a text that names the code, cut to six digits like HOTP (RFC 4226, 5.3).
Keys are a ring: the newest makes codes, and all of them verify.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256

DIGITS = 6


def derive(*, key: str, text: str) -> str:
    """Six digits, with leading zeros."""
    mac = hmac.new(key.encode(), text.encode(), sha256).digest()
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matches(*, code: str, keys: Sequence[str], text: str) -> bool:
    """Whether any key of the ring makes this code. Takes the same time whatever is wrong."""
    found = False
    for key in keys:
        found |= hmac.compare_digest(derive(key=key, text=text).encode(), code.encode())
    return found
