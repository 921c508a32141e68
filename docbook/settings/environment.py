"""Reading secrets and addresses from the environment."""

import os
from datetime import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

from docbook.times_of_day import read_end, read_start

WEEK_IN_HOURS = 7 * 24


def secret(name: str) -> str:
    """`NAME`, or what the file says that `NAME_FILE` names (as Docker and Kubernetes mount it).

    Raises ImproperlyConfigured when there is neither.
    """
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    if value := os.environ.get(name):
        return value
    raise ImproperlyConfigured(f"Set {name}, or {name}_FILE to a file that holds it.")


def optional_secret(name: str) -> str:
    """As `secret`, or empty where there is none."""
    return secret(name) if os.environ.get(name) or os.environ.get(f"{name}_FILE") else ""


def secret_ring(name: str) -> list[str]:
    """Several secrets separated by commas or lines, newest first."""
    keys = [key.strip() for key in secret(name).replace("\n", ",").split(",")]
    return [key for key in keys if key]


def redis_database(url: str, number: int) -> str:
    """The same Redis server, another database: the broker must not share the cache's."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


def sms_url(url: str) -> str:
    """Empty, or the address of a provider that can be used here. Raises ImproperlyConfigured."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    if scheme not in ("", "mail", "twilio") or (url and not scheme):
        raise ImproperlyConfigured("SMS_URL begins with mail:// or twilio://, or is empty.")
    if scheme == "twilio" and find_spec("twilio") is None:
        raise ImproperlyConfigured("SMS_URL: pip install -r requirements-twilio.txt first.")
    if scheme == "twilio" and "from" not in parse_qs(urlsplit(url).query):
        raise ImproperlyConfigured("SMS_URL: end it with ?from= and the number that sends.")
    return url


def code_channel(value: str, *, sms: str) -> str:
    """Where codes go. Raises ImproperlyConfigured for SMS without a provider."""
    if value not in ("email", "sms"):
        raise ImproperlyConfigured("CODE_CHANNEL is email or sms.")
    if value == "sms" and not sms:
        raise ImproperlyConfigured("CODE_CHANNEL=sms needs a provider in SMS_URL.")
    return value


def reminder_hours(values: list[int]) -> list[int]:
    """How long before a visit its reminders go out. Raises ImproperlyConfigured.

    That a reminder was sent is known for a week (`docbook.outbox.services.KEEP_DONE`). One that is
    due for longer than that, until the next or until the visit, would be sent a second time.
    """
    ends = sorted({0, *values})
    if any(value < 1 for value in values):
        raise ImproperlyConfigured("REMINDER_HOURS are whole hours before a visit, from 1 on.")
    for nearer, further in pairwise(ends):
        if further - nearer > WEEK_IN_HOURS:
            raise ImproperlyConfigured(
                f"REMINDER_HOURS: {further} and {nearer} are more than a week ({WEEK_IN_HOURS}) "
                "apart, and the earlier one could go out twice. Put another one between them."
            )
    return values


def hours(value: str) -> tuple[time, time]:
    """Two times of the day like 21:00-08:00; 24:00 is the end of the day, given as 00:00.

    Raises ImproperlyConfigured.
    """
    begin, dash, end = (part.strip() for part in value.partition("-"))
    begins, ends = read_start(begin), read_end(end)
    if not dash or begins is None or ends is None:
        raise ImproperlyConfigured(f"Write hours like 21:00-08:00, not like {value!r}.")
    if begins == ends and end.startswith("24"):
        raise ImproperlyConfigured(f"{value!r} is the whole day. 00:00-00:00 is no hour at all.")
    return begins, ends
