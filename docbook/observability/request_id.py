"""The id that links the log lines, audit events and error answers of one request."""

import re
import uuid

import structlog

HEADER = "X-Request-ID"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9-]{8,64}")


def from_header(value: str | None) -> str:
    """The proxy's id if it is well-formed, otherwise a new one."""
    if value and _ACCEPTABLE.fullmatch(value):
        return value
    return uuid.uuid4().hex


def current() -> str:
    """The id of the current request; empty outside a request."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def to_read_out() -> str:
    """The beginning of the id, for people: 3F9A-21C4. To search the logs, use lower case without
    the hyphen.
    """
    start = current()[:8].upper()
    return f"{start[:4]}-{start[4:]}" if start else ""
