"""The id that ties log lines, audit events and error answers of one request together."""

import re
import uuid

import structlog

HEADER = "X-Request-ID"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9-]{8,64}")


def from_header(value: str | None) -> str:
    """The proxy's id where it is well-formed, else a new one."""
    if value and _ACCEPTABLE.fullmatch(value):
        return value
    return uuid.uuid4().hex


def current() -> str:
    """The id of the request being served; empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
