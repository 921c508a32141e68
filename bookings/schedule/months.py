"""A doctor's month as the practice sees it: how many visits and free times each day has."""

from calendar import Calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from bookings.appointments.selectors.appointments import visits_by_day
from doctors.models import Doctor
from doctors.selectors.hours import closures_of
from doctors.selectors.slots import free_by_day


@dataclass(frozen=True)
class MonthDay:
    """`closed` says why there are no hours, if patients may know. Days of the neighbouring months
    fill the first and the last week.
    """

    date: date
    visits: int
    free: int
    closed: str
    is_outside: bool


@dataclass(frozen=True)
class ScheduleMonth:
    first: date
    weeks: list[list[MonthDay]]

    @property
    def visits(self) -> int:
        return sum(day.visits for week in self.weeks for day in week if not day.is_outside)

    @property
    def free(self) -> int:
        return sum(day.free for week in self.weeks for day in week if not day.is_outside)


def month_of(doctor: Doctor, *, day: date, clinics: Iterable[int], now: datetime) -> ScheduleMonth:
    """The month of this day, in weeks from Monday on. Three queries, however many visits."""
    weeks = Calendar().monthdatescalendar(day.year, day.month)
    first, last = weeks[0][0], weeks[-1][-1]
    visits = visits_by_day(doctor, first=first, last=last)
    free = free_by_day(doctor, first=first, last=last, now=now)
    closures = closures_of(doctor, clinics=clinics, first=first, last=last)

    def day_of(each: date) -> MonthDay:
        reasons = [c.reason for c in closures if c.first_day <= each <= c.last_day]
        return MonthDay(
            date=each,
            visits=visits.get(each, 0),
            free=free.get(each, 0),
            closed=", ".join(reasons),
            is_outside=each.month != day.month,
        )

    return ScheduleMonth(day.replace(day=1), [[day_of(each) for each in week] for week in weeks])
