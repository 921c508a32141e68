"""Reads the busy times from a calendar file (RFC 5545). Pure, and a program of its own.

    python -m doctors.busy_times FIRST LAST ZONE < calendar.ics

FIRST and LAST are seconds since 1970, and ZONE is an IANA name. It prints JSON: pairs of such
seconds, or the code of what is wrong.

Somebody else wrote the file, and one line of it can ask for more work than there is time: a rule
with an instance every second, or one that never holds. So the product runs this as a process
without settings or secrets, and the kernel ends it when it takes too much time or memory
(`doctors.services.calendar_files`). It imports nothing that would start Django.
"""

import json
import resource
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import recurring_ical_events
from icalendar import Calendar

MOST_EVENTS = 20_000
MOST_PERIODS = 5_000
# No appointment of a person returns every minute.
TOO_OFTEN = {"SECONDLY", "MINUTELY"}
CPU_SECONDS = 6
MEMORY = 768 * 1024 * 1024  # bytes
# A floating time or a whole day may lie this far from where UTC has it.
MARGIN = timedelta(days=1)
OUR_PRODID = "-//DocBook//DocBook//"
# How the UIDs of our own feeds end (bookings.schedule.feeds). In any calendar, they are visits that
# DocBook has booked itself.
OUR_VISITS = "-practice@docbook"

Seconds = tuple[int, int]


class Unreadable(Exception):
    """`code` is one of doctors.calendar_troubles."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def busy_times(content: bytes, *, first: datetime, last: datetime, zone: ZoneInfo) -> list[Seconds]:
    """The busy periods that overlap [first, last), which are aware: half-open, in seconds since
    1970, sorted, without overlaps.

    An event is busy unless it is cancelled, or says that it leaves its time free. Times without a
    zone, and in zones that nobody knows, are read on the clock of `zone`; whole days on that of the
    calendar, if it names one. Raises Unreadable.
    """
    calendar = _calendar_of(content)
    own_zone = _zone_named(calendar)
    if own_zone is None:
        calendar.pop("x-wr-timezone", None)  # a name that nobody knows would be an error
    try:
        events = recurring_ical_events.of(calendar).between(
            first.astimezone(UTC) - MARGIN, last.astimezone(UTC) + MARGIN
        )
        periods = [
            _period(each, zone=zone, days_in=own_zone or zone) for each in events if _is_busy(each)
        ]
        periods += _free_busy(calendar)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable("unreadable") from error
    begin, end = _seconds(first), _seconds(last)
    near = ((a, b) for a, b in periods if a < b and a < end and b > begin)
    found = list(merged(near))
    if len(found) > MOST_PERIODS:
        raise Unreadable("too-many-events")
    return found


def merged(periods: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """The same times as sorted periods that neither overlap nor touch."""
    open_period: tuple[Any, Any] | None = None
    for begin, end in sorted(periods):
        if open_period and begin <= open_period[1]:
            open_period = (open_period[0], max(open_period[1], end))
            continue
        if open_period:
            yield open_period
        open_period = (begin, end)
    if open_period:
        yield open_period


def _calendar_of(content: bytes) -> Calendar:
    text = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text[:15].upper().startswith(b"BEGIN:VCALENDAR"):
        raise Unreadable("not-a-calendar")
    try:
        found = Calendar.from_ical(text.decode("utf-8", errors="replace"), multiple=True)
    except Exception as error:
        raise Unreadable("unreadable") from error
    if len(found) != 1 or not isinstance(found[0], Calendar):
        raise Unreadable("unreadable")
    [calendar] = found
    if str(calendar.get("prodid", "")).startswith(OUR_PRODID):
        raise Unreadable("own-feed")
    _check_events(calendar)
    return calendar


def _check_events(calendar: Calendar) -> None:
    events = calendar.walk("VEVENT")
    if len(events) > MOST_EVENTS:
        raise Unreadable("too-many-events")
    for event in events:
        if event.errors:
            raise Unreadable("unreadable")
        rules = event.get("rrule", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            if TOO_OFTEN & {str(each).upper() for each in rule.get("FREQ", [])}:
                raise Unreadable("too-often")


def _zone_named(calendar: Calendar) -> ZoneInfo | None:
    name = str(calendar.get("x-wr-timezone", ""))
    return ZoneInfo(name) if name in available_timezones() else None


def _is_busy(event: Any) -> bool:
    said = {
        str(event.get("transp", "")).upper(),
        str(event.get("status", "")).upper(),
        str(event.get("x-microsoft-cdo-busystatus", "")).upper(),
    }
    is_ours = str(event.get("uid", "")).endswith(OUR_VISITS)
    return not is_ours and not said & {"TRANSPARENT", "CANCELLED", "FREE"}


def _period(event: Any, *, zone: ZoneInfo, days_in: ZoneInfo) -> Seconds:
    begin, end = event.start, event.end
    return _moment(begin, zone=zone, days_in=days_in), _moment(end, zone=zone, days_in=days_in)


def _moment(value: date, *, zone: ZoneInfo, days_in: ZoneInfo) -> int:
    if not isinstance(value, datetime):
        return _seconds(datetime.combine(value, time.min, tzinfo=days_in))
    return _seconds(value if value.tzinfo else value.replace(tzinfo=zone))


def _free_busy(calendar: Calendar) -> Iterator[Seconds]:
    """Of calendars that tell no events, only when somebody is busy."""
    for component in calendar.walk("VFREEBUSY"):
        lines = component.get("freebusy", [])
        for line in lines if isinstance(lines, list) else [lines]:
            if str(line.params.get("FBTYPE", "BUSY")).upper() != "FREE":
                yield _seconds(line.start), _seconds(line.end)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def main() -> None:
    """Prints what it found, or what is wrong."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    first, last = (datetime.fromtimestamp(int(each), UTC) for each in sys.argv[1:3])
    zone = ZoneInfo(sys.argv[3])
    try:
        found = busy_times(sys.stdin.buffer.read(), first=first, last=last, zone=zone)
        sys.stdout.write(json.dumps({"busy": found}))
    except Unreadable as error:
        sys.stdout.write(json.dumps({"code": error.code}))
    except MemoryError:
        sys.stdout.write(json.dumps({"code": "too-much-work"}))


if __name__ == "__main__":
    main()
