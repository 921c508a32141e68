"""The refusal that the request being served ends with, for its lines in the log."""

import structlog

# Switched on by staff, who know: nothing is broken, and nobody is to be woken.
PLANNED = frozenset({"booking-disabled"})


def note(code: str) -> None:
    """From now on every line of this request carries the code."""
    structlog.contextvars.bind_contextvars(refusal=code)


def is_planned() -> bool:
    return structlog.contextvars.get_contextvars().get("refusal") in PLANNED
