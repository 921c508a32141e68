"""Reading secrets and addresses from the environment."""

import os
from collections.abc import Mapping, Sequence
from datetime import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from docbook.times_of_day import read_end, read_start

env = environ.Env()

WEEK_IN_HOURS = 7 * 24


def secret(name: str) -> str:
    """`NAME`, or the content of the file in `NAME_FILE` (as Docker and Kubernetes mount it).

    Raises ImproperlyConfigured if neither is set.
    """
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    if value := os.environ.get(name):
        return value
    raise ImproperlyConfigured(f"Set {name}, or {name}_FILE to a file that holds it.")


def optional_secret(name: str) -> str:
    """Like `secret`, but empty if there is none."""
    return secret(name) if os.environ.get(name) or os.environ.get(f"{name}_FILE") else ""


# Placeholders of examples, images and tutorials, in lower case.
PLACEHOLDERS = (
    *("development", "only-while-this-image", "change-me", "changeme", "change-this"),
    *("replace-me", "your-secret", "django-insecure", "placeholder", "example"),
)
SHORTEST_SECRET = 32
FEWEST_CHARACTERS = 10  # different ones; 32 hexadecimal digits have more
KNOWN_PASSWORDS = ("password", "postgres", "docbook", "admin", "secret", "changeme", "example")


def secret_fault(value: str) -> str:
    """Why anybody could guess it; empty if nobody can."""
    if len(value) < SHORTEST_SECRET:
        return f"is shorter than {SHORTEST_SECRET} characters"
    plain = value.lower().replace("_", "-").replace(" ", "-")
    if any(known in plain for known in PLACEHOLDERS):
        return "is a placeholder that everybody knows"
    if len(set(value)) < FEWEST_CHARACTERS or _repeats_itself(value) or _counts_up(value):
        return "is not random"
    return ""


def _repeats_itself(value: str) -> bool:
    halves = range(1, len(value) // 2 + 1)
    return any(value == (value[:n] * len(value))[: len(value)] for n in halves)


def _counts_up(value: str) -> bool:
    """Like abcdef or 987654, for at least half of it."""
    steps = [abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(value)]
    return sum(steps) * 2 >= len(steps)


def require_secrets(rings: Mapping[str, Sequence[str]]) -> None:
    """Raises ImproperlyConfigured, by name, for a secret that can be guessed or serves two
    purposes.
    """
    seen: dict[str, str] = {}
    for name, values in rings.items():
        if not values:
            raise ImproperlyConfigured(f"{name} is empty.")
        for value in values:
            if fault := secret_fault(value):
                raise ImproperlyConfigured(f"{name} must be secret, and one {fault}.")
            if value in seen:
                raise ImproperlyConfigured(f"{name} has the same value as {seen[value]}.")
            seen[value] = name


def require_addresses(*, hosts: Sequence[str], site: str) -> None:
    """Raises ImproperlyConfigured if any Host header would be accepted, or links lead elsewhere."""
    if not any(host.strip() for host in hosts):
        raise ImproperlyConfigured("ALLOWED_HOSTS is empty: name the hosts of the site.")
    if any("*" in host or host.strip(".") == "" for host in hosts):
        raise ImproperlyConfigured("ALLOWED_HOSTS must name each host: * allows any.")
    parts = urlsplit(site)
    if parts.scheme != "https" or not parts.hostname:
        raise ImproperlyConfigured("SITE_URL must begin with https:// and a host.")
    if not any(_allows(host.lower(), parts.hostname) for host in hosts):
        raise ImproperlyConfigured("SITE_URL: its host is not in ALLOWED_HOSTS.")


def _allows(pattern: str, host: str) -> bool:
    is_below = pattern.startswith(".") and (host.endswith(pattern) or host == pattern[1:])
    return is_below or pattern.partition(":")[0] == host


def require_password(name: str, password: str, *, user: str = "") -> None:
    """Raises ImproperlyConfigured for a password that everybody tries first. An empty password is
    fine: the server may ask for a certificate or listen on a socket.
    """
    if password and password.lower() in (*KNOWN_PASSWORDS, user.lower()):
        raise ImproperlyConfigured(f"{name}: its password is one that everybody tries first.")


def secret_ring(name: str) -> list[str]:
    """Several secrets separated by commas or lines, newest first."""
    keys = [key.strip() for key in secret(name).replace("\n", ",").split(",")]
    return [key for key in keys if key]


def with_password(url: str, password: str) -> str:
    """The URL with this password, whatever characters it has. Without a password, the URL is
    unchanged.
    """
    if not password:
        return url
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{name}:{quote(password, safe='')}@{place}"))


def redis_database(url: str, number: int) -> str:
    """The same Redis server, but another database: the broker must not share the cache's."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


def security_mailbox(site: str) -> str:
    """The mailbox that RFC 2142 defines for this purpose, at the host of the site."""
    return f"mailto:security@{urlsplit(site).hostname or 'localhost'}"


def sms_url(url: str) -> str:
    """Empty, or the address of a provider that works here. Raises ImproperlyConfigured."""
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

    A sent reminder is remembered for a week (`docbook.outbox.services.KEEP_DONE`). A reminder that
    stays due for longer, until the next one or the visit, would be sent twice.
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
    """Two times of day like 21:00-08:00. 24:00 is the end of the day, returned as 00:00.

    Raises ImproperlyConfigured.
    """
    begin, dash, end = (part.strip() for part in value.partition("-"))
    begins, ends = read_start(begin), read_end(end)
    if not dash or begins is None or ends is None:
        raise ImproperlyConfigured(f"Write hours like 21:00-08:00, not like {value!r}.")
    if begins == ends and end.startswith("24"):
        raise ImproperlyConfigured(f"{value!r} is the whole day. 00:00-00:00 is no hour at all.")
    return begins, ends
