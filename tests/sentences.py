"""Texts for people are sentences."""

import re


def is_a_sentence(text: str) -> bool:
    """One or more: begins with a capital, continues in lower case, and ends with a full stop."""
    return bool(re.fullmatch(r"[A-Z][a-z ].*[a-z]\.", text))
