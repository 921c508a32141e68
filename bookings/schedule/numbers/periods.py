"""The days that the numbers are about, and the days they are compared with. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

ONE_DAY, ONE_WEEK = timedelta(days=1), timedelta(days=7)
# Weeks in a row are compared with as many before them, so that both have the same weekdays.
QUARTER, YEAR = 13, 52
LONGEST_DAYS = 731
# A chart has a bar for each day, week or month: as many as one can tell apart.
MOST_DAYS, MOST_WEEKS = 14, 27


class Span(StrEnum):
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    CUSTOM = "custom"


@dataclass(frozen=True)
class Days:
    """Both days are included."""

    first: date
    last: date

    @property
    def number(self) -> int:
        return (self.last - self.first).days + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Period:
    span: Span
    days: Days
    before: Days

    @property
    def unit(self) -> str:
        """What a bar of a chart stands for: day, week or month."""
        if self.days.number <= MOST_DAYS:
            return "day"
        return "week" if self.days.number <= MOST_WEEKS * 7 else "month"

    @property
    def parts(self) -> list[Days]:
        """Whole days, weeks from Monday on, or months; the first and the last may be shorter."""
        parts, first = [], self.days.first
        while first <= self.days.last:
            following = self._after(first)
            parts.append(Days(first, min(following - ONE_DAY, self.days.last)))
            first = following
        return parts

    def _after(self, first: date) -> date:
        if self.unit == "day":
            return first + ONE_DAY
        if self.unit == "week":
            return first - first.weekday() * ONE_DAY + ONE_WEEK
        return (first.replace(day=1) + 31 * ONE_DAY).replace(day=1)


def period_of(span: Span, *, today: date) -> Period:
    """The period up to today: this week or month so far, or the last 13 or 52 weeks."""
    if span is Span.MONTH:
        return _month(today)
    weeks = {Span.QUARTER: QUARTER, Span.YEAR: YEAR}.get(span, 1)
    monday = today - today.weekday() * ONE_DAY
    first, back = monday - (weeks - 1) * ONE_WEEK, weeks * ONE_WEEK
    return Period(span, Days(first, today), Days(first - back, today - back))


def custom_period(*, first: date, last: date) -> Period:
    """Compared with as many days just before."""
    back = Days(first, last).number * ONE_DAY
    return Period(Span.CUSTOM, Days(first, last), Days(first - back, last - back))


def _month(today: date) -> Period:
    """Compared with the month before up to the same day, or to its end if it is shorter."""
    first = today.replace(day=1)
    end_before = first - ONE_DAY
    last_before = end_before.replace(day=min(today.day, end_before.day))
    return Period(Span.MONTH, Days(first, today), Days(end_before.replace(day=1), last_before))
