"""What people read is written for people."""

import re


def is_a_sentence(text: str) -> bool:
    """One or more: begins with a capital, goes on in small letters, ends with a full stop."""
    return bool(re.fullmatch(r"[A-Z][a-z ].*[a-z]\.", text))
