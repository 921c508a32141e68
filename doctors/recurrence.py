"""Calendar arithmetic of recurring hours: a weekly rule becomes slot periods in UTC.

Pure: values in, values out. It uses no database and no clock. The days of a rule are those of an
RRULE (RFC 5545, section 3.3.10), and dateutil works them out.

Wall-clock times become instants as RFC 5545, section 3.3.5, says. A local time that the clocks skip
is read with the offset before the gap. One that they show twice means its first occurrence. Python
does the same for `fold=0` (PEP 495). Within a block, slots follow each other in absolute time, so
all have the same length, whatever the clocks do.

Hours that end at 00:00 end with the day: at the next midnight by the local clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import lcm
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import MO, WEEKLY, rrule

from docbook.times_of_day import END_OF_DAY, ends_after

ONE_DAY = timedelta(days=1)
# Long enough to meet every pair of offsets that two zones have in a year. Rules that skip weeks
# need more years.
LOOKS_AHEAD = timedelta(days=366)


class Period(NamedTuple):
    """Half-open: [starts_at, ends_at), both aware and in UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyRule:
    """On these weekdays (0 is Monday), from `starts` to `ends` on the wall clock of `zone`.

    An end of 00:00 is the end of the day, so 00:00 to 00:00 is the whole day. `valid_from` and
    `valid_until` are local days, both included. With `every_weeks` of 2, the rule holds in the week
    of `valid_from`, in the second week after it, and so on. Weeks begin on Monday.
    """

    weekdays: frozenset[int]
    starts: time
    ends: time
    zone: ZoneInfo
    slot_minutes: int
    valid_from: date
    valid_until: date | None = None
    every_weeks: int = 1

    def days(self, first: date, last: date) -> list[date]:
        """The local days with these hours, from `first` to `last`, both included."""
        first, last = max(first, self.valid_from), min(last, self.valid_until or last)
        if last < first:
            return []
        weeks = (_monday(first) - _monday(self.valid_from)).days // 7
        # dateutil counts from its start, which may be years ago. So it starts in a week of the
        # rule that is near.
        near = _monday(first) - timedelta(weeks=weeks % self.every_weeks)
        found = rrule(
            WEEKLY,
            dtstart=datetime.combine(near, time.min),
            until=datetime.combine(last, time.min),
            interval=self.every_weeks,
            byweekday=sorted(self.weekdays),
            wkst=MO,
        )
        return [each.date() for each in found if each.date() >= first]


def _monday(day: date) -> date:
    return day - day.weekday() * ONE_DAY


def instant(*, day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the clocks of `zone` show `at` on `day`; RFC 5545 3.3.5."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def local_day(*, day: date, zone: ZoneInfo) -> Period:
    """From midnight to midnight: 23, 24 or 25 hours. Empty if the zone skipped the day."""
    return Period(
        instant(day=day, at=time.min, zone=zone), instant(day=day + ONE_DAY, at=time.min, zone=zone)
    )


def hours_of_day(*, day: date, starts: time, ends: time, zone: ZoneInfo) -> Period | None:
    """From `starts` to `ends` on a local day. None if a gap in the clocks leaves nothing."""
    whole_day = local_day(day=day, zone=zone)
    # Samoa skipped 30 December 2011. With the old offset, its hours would be those of the 31st.
    if whole_day.starts_at >= whole_day.ends_at:
        return None
    last_day = day + ONE_DAY if ends == END_OF_DAY else day
    block = Period(
        instant(day=day, at=starts, zone=zone), instant(day=last_day, at=ends, zone=zone)
    )
    return block if block.starts_at < block.ends_at else None


def blocks_of(*, rule: WeeklyRule, first: date, last: date) -> Iterator[Period]:
    """The rule's hours on the local days from `first` to `last`, both included."""
    for day in rule.days(first, last):
        if block := hours_of_day(day=day, starts=rule.starts, ends=rule.ends, zone=rule.zone):
            yield block


def slots_in(*, block: Period, slot_minutes: int) -> Iterator[Period]:
    """Whole slots only. The rest at the end of the block is not offered."""
    step = timedelta(minutes=slot_minutes)
    starts_at = block.starts_at
    while (ends_at := starts_at + step) <= block.ends_at:
        yield Period(starts_at, ends_at)
        starts_at = ends_at


def overlap(first: WeeklyRule, second: WeeklyRule, *, since: date = date.min) -> bool:
    """Whether the two rules ever overlap from the day `since` on.

    In one zone, comparing wall-clock times is enough. In two zones the instants of a year are
    compared, because they may change their clocks on different days.
    """
    begin = max(first.valid_from, second.valid_from, since)
    ends = [rule.valid_until for rule in (first, second) if rule.valid_until]
    days = [(end - begin).days + 1 for end in ends]
    turns = lcm(first.every_weeks, second.every_weeks)
    if first.zone == second.zone:
        return _meet_by_the_clock(first, second, begin=begin, days=min([7 * turns, *days]))
    days_ahead = min([turns * LOOKS_AHEAD.days, *days])
    return _meet(*(list(_blocks(rule, begin=begin, days=days_ahead)) for rule in (first, second)))


def _meet_by_the_clock(first: WeeklyRule, second: WeeklyRule, *, begin: date, days: int) -> bool:
    at_one_time = ends_after(first.ends, second.starts) and ends_after(second.ends, first.starts)
    last = begin + (days - 1) * ONE_DAY
    return at_one_time and not set(first.days(begin, last)).isdisjoint(second.days(begin, last))


def _blocks(rule: WeeklyRule, *, begin: date, days: int) -> Iterator[Period]:
    """The rule's hours on these days and on the days next to them: elsewhere the date differs."""
    return blocks_of(rule=rule, first=begin - ONE_DAY, last=begin + days * ONE_DAY)


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
