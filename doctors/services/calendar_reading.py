"""Reads busy times from a file, or from an address where one is."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from docbook.http.outside import Marks, Unreachable, fetch, tidied
from doctors.calendar_troubles import TROUBLES, CalendarTrouble
from doctors.models import Doctor
from doctors.recurrence import ONE_DAY, Period

MOST_BYTES = 2_000_000
# Of wall-clock time. The process has a limit of its own for the time that it works.
READING_SECONDS = 15
# Times are known for longer than they can be booked, so most days need no whole reading.
AHEAD = timedelta(days=30)
# A file is not read again.
AHEAD_IN_A_FILE = timedelta(days=366)


@dataclass(frozen=True)
class Reading:
    """What a calendar said: when its owner is busy, up to `until`."""

    periods: list[Period]
    until: datetime
    marks: Marks


def checked_address(typed: str) -> str:
    """The address as it will be requested. Raises CalendarTrouble, also for one of our own."""
    try:
        address = tidied(typed)
    except Unreachable as error:
        raise CalendarTrouble(error.code) from None  # the cause would name the address
    if urlsplit(address).hostname == urlsplit(settings.SITE_URL).hostname and _is_feed(address):
        raise CalendarTrouble("own-feed")
    return address


def read_address(
    address: str, *, doctor: Doctor, known: Marks, now: datetime, seconds: float
) -> Reading | None:
    """None if it is what `known` stands for. Fetches for `seconds` at most. Raises
    CalendarTrouble.
    """
    try:
        found = fetch(address, known=known, most=MOST_BYTES, seconds=seconds)
    except Unreachable as error:
        raise CalendarTrouble(error.code) from None
    if found is None:
        return None
    until = known_until(doctor, now=now)
    return Reading(_periods(found.content, doctor=doctor, now=now, until=until), until, found.marks)


def read_file(content: bytes, *, doctor: Doctor, now: datetime) -> Reading:
    """Raises CalendarTrouble."""
    if len(content) > MOST_BYTES:
        raise CalendarTrouble("too-large")
    until = _midnight(now) + AHEAD_IN_A_FILE
    return Reading(_periods(content, doctor=doctor, now=now, until=until), until, Marks())


def known_until(doctor: Doctor, *, now: datetime) -> datetime:
    return needed_until(doctor, now=now) + AHEAD


def needed_until(doctor: Doctor, *, now: datetime) -> datetime:
    """After the last time that somebody can book, wherever the doctor works."""
    return _midnight(now) + timedelta(days=doctor.horizon_days + 2)


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _is_feed(address: str) -> bool:
    return urlsplit(address).path.startswith("/calendar/")


def _periods(content: bytes, *, doctor: Doctor, now: datetime, until: datetime) -> list[Period]:
    first = int((_midnight(now) - ONE_DAY).timestamp())
    zone = doctor.clinic.time_zone
    found = _run(content, str(first), str(int(until.timestamp())), zone)
    if code := found.get("code"):
        raise CalendarTrouble(code if code in TROUBLES else "unreadable")
    return [Period(*(datetime.fromtimestamp(each, UTC) for each in pair)) for pair in found["busy"]]


def _run(content: bytes, *arguments: str) -> dict[str, Any]:
    """In a process of its own, with no settings and no secrets in its environment."""
    try:
        done = subprocess.run(  # noqa: S603 - our own module, and arguments that we made
            [sys.executable, "-m", "doctors.busy_times", *arguments],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=READING_SECONDS,
            cwd=settings.BASE_DIR,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CalendarTrouble("too-much-work") from None
    if done.returncode:  # the kernel ended it, or memory was short
        raise CalendarTrouble("too-much-work")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
