"""A short name for an id, which mails and pages show and people read out on the phone."""

import base64
import hashlib
import re
from uuid import UUID

# RFC 4648 base32 has no 0, 1, 8 or 9, so nobody confuses them with letters.
_WRITTEN = re.compile(r"([A-Z2-7]{4})[ -]?([A-Z2-7]{4})")


def reference(of: UUID) -> str:
    """Eight letters and digits, like 7KQ4-M2XD; not a secret."""
    digest = hashlib.sha256(of.bytes).digest()
    text = base64.b32encode(digest[:5]).decode()
    return f"{text[:4]}-{text[4:]}"


def digest_of_reference(text: str) -> bytes | None:
    """The first five bytes of the id's digest, from a `reference`; otherwise None."""
    found = _WRITTEN.fullmatch(text.strip().upper())
    return base64.b32decode(found[1] + found[2]) if found else None
