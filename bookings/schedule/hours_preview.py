"""What a change of hours would do: times that come and go, and visits outside the new hours. Pure.

The present hours and the planned ones are compared slot by slot, on the days of four weeks.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bookings.appointments.selectors.outside_hours import BookedVisit, visits_outside
from doctors.hours import Hours, WorkingSlot
from doctors.recurrence import ONE_DAY
from doctors.rules import minutes_of

DAYS = 28
DAY = 24 * 60
# Rows of the grid are not shorter than this, or a day of short slots would not fit on a screen.
SHORTEST_ROW = 15


class Kind(StrEnum):
    """What a time of the grid will be. Of several in one cell, the last one here is drawn."""

    NOW = "now"
    NEW = "new"
    GONE = "gone"
    BOOKED = "booked"
    OUTSIDE = "outside"


class Mark(NamedTuple):
    """A time of the grid: from `starts` to `ends` in minutes of its local day."""

    day: date
    starts: int
    ends: int
    kind: Kind


@dataclass(frozen=True)
class Cell:
    """`kind` is empty for a time without hours."""

    kind: str


@dataclass(frozen=True)
class Row:
    """`hour` is None unless an hour begins within the row."""

    hour: int | None
    cells: list[Cell]


@dataclass(frozen=True)
class Week:
    """`number` counts from 0. `counts` has times, but of visits the visits themselves."""

    number: int
    days: list[date]
    rows: list[Row]
    marks: list[Mark]
    counts: Counter[Kind]
    earlier: int | None
    later: int | None


@dataclass(frozen=True, kw_only=True)
class HoursPreview:
    """`times` are those of the planned hours. `outside` has all coming visits, not only those of
    the four weeks.
    """

    first: date
    times: int
    new: int
    gone: int
    outside: list[BookedVisit]
    marks: list[Mark]
    row_minutes: int

    @property
    def last(self) -> date:
        return self.first + (DAYS - 1) * ONE_DAY

    @property
    def changes_nothing(self) -> bool:
        return not self.new and not self.gone

    def week(self, number: int) -> Week:
        """The calendar week with this number; the nearest one if there is none."""
        monday = self.first - self.first.weekday() * ONE_DAY
        last = (self.last - monday).days // 7
        number = min(max(number, 0), last)
        days = [monday + timedelta(days=7 * number + n) for n in range(7)]
        marks = [mark for mark in self.marks if days[0] <= mark.day <= days[-1]]
        return Week(
            number=number,
            days=days,
            rows=list(self._rows(days, marks)),
            marks=marks,
            counts=Counter(mark.kind for mark in marks),
            earlier=number - 1 if number else None,
            later=number + 1 if number < last else None,
        )

    @cached_property
    def _span(self) -> tuple[int, int]:
        """Whole hours from the first time of all weeks to the last one, in minutes of the day."""
        first = min((mark.starts for mark in self.marks), default=0)
        last = max((mark.ends for mark in self.marks), default=0)
        return first - first % 60, last + -last % 60

    def _rows(self, days: Sequence[date], marks: Iterable[Mark]) -> Iterator[Row]:
        begin, end = self._span
        step = self.row_minutes
        found: dict[tuple[int, date], Counter[Kind]] = {}
        for mark in marks:
            for row in range((mark.starts - begin) // step, -((begin - mark.ends) // step)):
                found.setdefault((row, mark.day), Counter())[mark.kind] += 1
        for row, minutes in enumerate(range(begin, end, step)):
            hour = -(-minutes // 60)
            shown = hour if hour * 60 < minutes + step else None
            cells = [_cell(found.get((row, day), Counter())) for day in days]
            yield Row(shown, cells)


def preview_of(
    *,
    present: Hours,
    planned: Hours,
    visits: Sequence[BookedVisit],
    first: date,
    now: datetime,
    only_newly_outside: bool = False,
) -> HoursPreview:
    """Of four weeks from `first` on. Times that have begun by `now` are left out. Both hours know
    the same clinics.
    """
    was, will = (_slots(hours, first=first, now=now) for hours in (present, planned))
    outside = visits_outside(planned, visits)
    if only_newly_outside:
        already = {visit.id for visit in visits_outside(present, visits)}
        outside = [visit for visit in outside if visit.id not in already]
    return HoursPreview(
        first=first,
        times=len(will),
        new=len(will - was),
        gone=len(was - will),
        outside=outside,
        marks=[
            *_marks_of_slots(was, will, visits=visits, zones=planned.zones),
            *_marks_of_visits(visits, outside=outside, first=first),
        ],
        row_minutes=planned.slot_minutes * -(-SHORTEST_ROW // planned.slot_minutes),
    )


def _slots(hours: Hours, *, first: date, now: datetime) -> set[WorkingSlot]:
    return {slot for slot in hours.slots_from(first, days=DAYS) if slot.period.starts_at > now}


def _marks_of_slots(
    was: set[WorkingSlot],
    will: set[WorkingSlot],
    *,
    visits: Sequence[BookedVisit],
    zones: Mapping[int, ZoneInfo],
) -> Iterator[Mark]:
    """A time that somebody has booked is shown as their visit, unless it comes or goes."""
    starts = [visit.starts_at for visit in visits]
    for slot in was | will:
        before = bisect_left(starts, slot.period.ends_at) - 1
        is_taken = before >= 0 and visits[before].ends_at > slot.period.starts_at
        kind = Kind.NEW if slot not in was else Kind.GONE if slot not in will else Kind.NOW
        if kind is not Kind.NOW or not is_taken:
            yield _mark(*slot.period, zone=zones[slot.clinic_id], kind=kind)


def _marks_of_visits(
    visits: Sequence[BookedVisit], *, outside: Sequence[BookedVisit], first: date
) -> Iterator[Mark]:
    lost = {visit.id for visit in outside}
    for visit in visits:
        kind = Kind.OUTSIDE if visit.id in lost else Kind.BOOKED
        mark = _mark(visit.starts_at, visit.ends_at, zone=ZoneInfo(visit.time_zone), kind=kind)
        if first <= mark.day < first + DAYS * ONE_DAY:
            yield mark


def _mark(starts_at: datetime, ends_at: datetime, *, zone: ZoneInfo, kind: Kind) -> Mark:
    """By the clock of the place. What ends on the next day is drawn to the end of its own."""
    starts, ends = starts_at.astimezone(zone), ends_at.astimezone(zone)
    begin = minutes_of(starts)
    until = minutes_of(ends) if ends.date() == starts.date() else DAY
    return Mark(starts.date(), begin, max(until, begin + 1), kind)


def _cell(counts: Counter[Kind]) -> Cell:
    return Cell(next((kind for kind in reversed(Kind) if counts[kind]), ""))
