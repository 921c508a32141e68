"""Which visit type of a doctor a list shows, and when it can start on the days of the list."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from doctors.models import Doctor, SlotState, VisitType
from doctors.rules import GridSlot, VisitTime, free_times, instants_of_days
from doctors.selectors.search import DoctorSearch
from doctors.selectors.slots import full_days, grid_of_doctors, wanted_for, window_of
from doctors.selectors.visit_types import fitting_visit_types

# How far beyond the shown days a list looks for the next free time.
LOOK_AHEAD = timedelta(days=21)


@dataclass(frozen=True)
class ShownTimes:
    """`days` are the days of the list that have times. If none has, `later` is the first time after
    them. None means that no time is free soon.
    """

    visit_type: VisitType | None
    days: dict[date, list[VisitTime]] = field(default_factory=dict)
    later: VisitTime | None = None


def shown_times(
    doctors: Sequence[Doctor], *, days: Sequence[date], search: DoctorSearch, now: datetime
) -> dict[int, ShownTimes]:
    """By doctor; the doctors come from `search_doctors`. One query, and one more if some have none
    on these days.

    The visit type is one for which its doctor was found: one that can start on the requested day,
    otherwise the one that can start first.
    """
    start, end = instants_of_days(days[0], days[-1])
    asked = [day for day in days if day == search.available_on] or days
    diaries = _diaries(doctors, search=search, start=start, end=end, now=now)
    shown = {diary.doctor.pk: _on_days(diary, days=days, asked=asked) for diary in diaries}
    empty = [each for each in doctors if not shown[each.pk].days and _is_free_later(each)]
    if empty:
        start, _end = instants_of_days(days[-1] + timedelta(days=1), days[-1])
        end += LOOK_AHEAD
        for diary in _diaries(empty, search=search, start=start, end=end, now=now):
            shown[diary.doctor.pk] = _after(diary, day=days[-1], until=end)
    return shown


def _is_free_later(doctor: Doctor) -> bool:
    return bool(doctor.next_free_at)  # type: ignore[attr-defined]  # annotated by the search


@dataclass(frozen=True)
class _Diary:
    """A doctor's grid, and the visit types that fit the search, in the doctor's order."""

    doctor: Doctor
    visit_types: list[VisitType]
    grid: list[GridSlot]
    city: str
    now: datetime
    full_days: frozenset[date] = frozenset()

    def times(self, visit_type: VisitType) -> Iterator[VisitTime]:
        """Its free times in that city, earliest first."""
        window = window_of(self.doctor, now=self.now, full_days=self.full_days)
        times = window.allowed(free_times(self.grid, wanted_for(visit_type), now=self.now))
        if not self.city:
            return times
        return (time for time in times if time.place.city.casefold() == self.city)


def _diaries(
    doctors: Sequence[Doctor],
    *,
    search: DoctorSearch,
    start: datetime,
    end: datetime,
    now: datetime,
) -> list[_Diary]:
    """One query, and one more for doctors who take only so many visits a day. A visit that begins
    before `end` may need slots after it, so the query looks further.
    """
    fitting = {
        doctor.pk: fitting_visit_types(
            doctor, mode=search.mode, max_fee=search.max_fee, currency=search.currency
        )
        for doctor in doctors
    }
    visit_types = [each for group in fitting.values() for each in group]
    needs = (each.duration + each.buffer for each in visit_types)
    # Where a slot is booked or blocked, a gap does as well, unless the slot is to be kept free.
    is_any_kept_free = any(each.buffer_slots for each in visit_types)
    grids = grid_of_doctors(
        doctor_ids=fitting,
        start=max(start, now),
        end=end + max(needs, default=timedelta()),
        clinics=[doctor.clinic for doctor in doctors],
        states=tuple(SlotState) if is_any_kept_free else (SlotState.OPEN, SlotState.HELD),
    )
    full, city = full_days(doctors, start=start, end=end, now=now), search.city.casefold()
    return [
        _Diary(
            each,
            fitting[each.pk],
            grids.get(each.pk, []),
            city,
            now,
            full.get(each.pk, frozenset()),
        )
        for each in doctors
    ]


def _on_days(diary: _Diary, *, days: Collection[date], asked: Collection[date]) -> ShownTimes:
    found = _first_to_start(diary, suits=lambda time: time.local_day in asked)
    visit_type = found[0] if found else next(iter(diary.visit_types), None)
    if visit_type is None:
        return ShownTimes(None)
    times: dict[date, list[VisitTime]] = {day: [] for day in days}
    for time in diary.times(visit_type):
        of_day = times.get(time.local_day)
        if of_day is not None:
            of_day.append(time)
    return ShownTimes(visit_type, {day: found for day, found in times.items() if found})


def _after(diary: _Diary, *, day: date, until: datetime) -> ShownTimes:
    found = _first_to_start(
        diary, suits=lambda time: time.local_day > day and time.starts_at < until
    )
    if found is None:
        return ShownTimes(next(iter(diary.visit_types), None))
    visit_type, first = found
    return ShownTimes(visit_type, later=first)


def _first_to_start(
    diary: _Diary, *, suits: Callable[[VisitTime], bool]
) -> tuple[VisitType, VisitTime] | None:
    """The visit type whose first suitable time is earliest, with that time. In a tie, the doctor's
    order decides.
    """
    found: tuple[VisitType, VisitTime] | None = None
    for visit_type in diary.visit_types:
        for time in diary.times(visit_type):
            if found and time.starts_at >= found[1].starts_at:
                break
            if suits(time):
                found = visit_type, time
                break
    return found
