"""Writes a mail for the server, byte for byte as Python's `email` does, but with less work.

`email` looks at each header for words to encode and lines to fold, and at each line of the text.
Most headers are a few plain words, which stay as they are.
"""

import re
import secrets
import sys
from email.message import Message
from email.policy import compat32
from typing import Any

# Fits beside its name on one line, and begins and ends with a letter: nothing to encode or fold.
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_LONGEST_LINE = compat32.max_line_length or 78


def written(message: Message, *, linesep: str = "\n") -> bytes:
    """The message with these line ends. Its parts are texts, or have such parts."""
    body = _body(message, linesep)
    # After the body: that is where a boundary is found.
    return f"{_headers(message, linesep)}{linesep}{body}".encode("ascii", "surrogateescape")


def is_text(message: Message) -> bool:
    """Whether `written` can write it."""
    if message.is_multipart():
        parts: list[Message] = message.get_payload()  # type: ignore[assignment]
        return message.get_content_maintype() == "multipart" and all(map(is_text, parts))
    return message.get_content_maintype() == "text"


def _body(message: Message, linesep: str) -> str:
    # As Python's generator reads it: get_payload() would decode the text.
    payload: str | list[Message] = message._payload  # type: ignore[attr-defined]
    if isinstance(payload, str):
        return linesep.join(payload.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    parts = [_part(each, linesep) for each in payload]
    if (boundary := message.get_boundary()) is None:
        boundary = _boundary(parts)
        message.set_boundary(boundary)
    middle = f"{linesep}--{boundary}{linesep}".join(parts)
    return f"--{boundary}{linesep}{middle}{linesep}--{boundary}--{linesep}"


def _part(message: Message, linesep: str) -> str:
    body = _body(message, linesep)
    return f"{_headers(message, linesep)}{linesep}{body}"


def _headers(message: Message, linesep: str) -> str:
    return "".join(_header(name, value, linesep) for name, value in message.raw_items())


def _header(name: str, value: Any, linesep: str) -> str:
    if (
        type(value) is str
        and len(name) + len(value) + 2 <= _LONGEST_LINE
        and _PLAIN.fullmatch(value)
    ):
        return f"{name}: {value}{linesep}"
    policy = compat32.clone(linesep=linesep)
    return policy.fold_binary(name, value).decode("ascii", "surrogateescape")


def _boundary(parts: list[str]) -> str:
    """No part has such a line."""
    while True:
        boundary = f"==============={secrets.randbelow(sys.maxsize):019d}=="
        if not any(boundary in each for each in parts):
            return boundary
