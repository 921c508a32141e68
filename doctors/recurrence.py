"""Calendar arithmetic of recurring hours: a weekly rule becomes slot periods in UTC.

Pure: values in, values out. It uses no database and no clock.

Wall-clock times become instants as RFC 5545, section 3.3.5, says. A local time that the clocks skip
is read with the offset before the gap. One that they show twice means its first occurrence. Python
does the same for `fold=0` (PEP 495). Within a block, slots follow each other in absolute time, so
all have the same length, whatever the clocks do.

Hours that end at 00:00 end with the day: at the next midnight by the local clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from docbook.times_of_day import END_OF_DAY, ends_after

ONE_DAY = timedelta(days=1)
# Long enough to meet every pair of offsets that two zones have in a year.
LOOKS_AHEAD = timedelta(days=366)


class Period(NamedTuple):
    """Half-open: [starts_at, ends_at), both aware and in UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyRule:
    """On these weekdays (0 is Monday), from `starts` to `ends` on the wall clock of `zone`.

    An end of 00:00 is the end of the day, so 00:00 to 00:00 is the whole day. `valid_from` and
    `valid_until` are local days, both included.
    """

    weekdays: frozenset[int]
    starts: time
    ends: time
    zone: ZoneInfo
    slot_minutes: int
    valid_from: date
    valid_until: date | None = None

    def covers(self, day: date) -> bool:
        return (
            day.weekday() in self.weekdays
            and self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
        )


def instant(*, day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the clocks of `zone` show `at` on `day`; RFC 5545 3.3.5."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def local_day(*, day: date, zone: ZoneInfo) -> Period:
    """From midnight to midnight: 23, 24 or 25 hours. Empty if the zone skipped the day."""
    return Period(
        instant(day=day, at=time.min, zone=zone), instant(day=day + ONE_DAY, at=time.min, zone=zone)
    )


def block_on(*, rule: WeeklyRule, day: date) -> Period | None:
    """The rule's hours on one local day, or None if there are none.

    A gap in the clocks can swallow a whole block. A block that would end before it starts does not
    exist.
    """
    whole_day = local_day(day=day, zone=rule.zone)
    # Samoa skipped 30 December 2011. With the old offset, its hours would be those of the 31st.
    if not rule.covers(day) or whole_day.starts_at >= whole_day.ends_at:
        return None
    last_day = day + ONE_DAY if rule.ends == END_OF_DAY else day
    block = Period(
        instant(day=day, at=rule.starts, zone=rule.zone),
        instant(day=last_day, at=rule.ends, zone=rule.zone),
    )
    return block if block.starts_at < block.ends_at else None


def slots_in(*, block: Period, slot_minutes: int) -> Iterator[Period]:
    """Whole slots only. The rest at the end of the block is not offered."""
    step = timedelta(minutes=slot_minutes)
    starts_at = block.starts_at
    while (ends_at := starts_at + step) <= block.ends_at:
        yield Period(starts_at, ends_at)
        starts_at = ends_at


def slot_periods(*, rule: WeeklyRule, first_day: date, days: int) -> Iterator[Period]:
    """The slots of `days` local days from `first_day` on, in order."""
    for number in range(days):
        if block := block_on(rule=rule, day=first_day + number * ONE_DAY):
            yield from slots_in(block=block, slot_minutes=rule.slot_minutes)


def overlap(first: WeeklyRule, second: WeeklyRule, *, since: date = date.min) -> bool:
    """Whether the two rules ever overlap from the day `since` on.

    In one zone, comparing wall-clock times is enough. In two zones the instants of a year are
    compared, because they may change their clocks on different days.
    """
    begin = max(first.valid_from, second.valid_from, since)
    ends = [rule.valid_until for rule in (first, second) if rule.valid_until]
    days = min([LOOKS_AHEAD.days, *((end - begin).days + 1 for end in ends)])
    if first.zone == second.zone:
        return _meet_by_the_clock(first, second, begin=begin, days=min(7, days))
    return _meet(*(list(_blocks(rule, begin=begin, days=days)) for rule in (first, second)))


def _meet_by_the_clock(first: WeeklyRule, second: WeeklyRule, *, begin: date, days: int) -> bool:
    at_one_time = ends_after(first.ends, second.starts) and ends_after(second.ends, first.starts)
    return at_one_time and any(
        first.covers(day) and second.covers(day)
        for day in (begin + number * ONE_DAY for number in range(days))
    )


def _blocks(rule: WeeklyRule, *, begin: date, days: int) -> Iterator[Period]:
    """The rule's hours on these days and on the days next to them: elsewhere the date differs."""
    for number in range(-1, days + 1):
        if block := block_on(rule=rule, day=begin + number * ONE_DAY):
            yield block


def _meet(first: list[Period], second: list[Period]) -> bool:
    """Whether any period of one list overlaps any of the other. Both lists are sorted."""
    mine, theirs = 0, 0
    while mine < len(first) and theirs < len(second):
        if first[mine].ends_at <= second[theirs].starts_at:
            mine += 1
        elif second[theirs].ends_at <= first[mine].starts_at:
            theirs += 1
        else:
            return True
    return False
