"""The refusal that ends the current request, for its log lines."""

import structlog

# Staff switched this on: nothing is broken, and nobody must be woken.
PLANNED = frozenset({"booking-disabled"})


def note(code: str) -> None:
    """Adds the code to every further log line of this request."""
    structlog.contextvars.bind_contextvars(refusal=code)


def is_planned() -> bool:
    return structlog.contextvars.get_contextvars().get("refusal") in PLANNED
