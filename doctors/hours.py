"""All the times that one doctor works: weekly hours, closed days, time off and extra hours. Pure.

Time off and busy times win over everything, and extra hours win over a closed day of the clinic.
Where extra hours overlap weekly ones, the slots of the weekly hours stay, and others that overlap
them are left out.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from doctors.recurrence import ONE_DAY, Period, WeeklyRule, blocks_of, hours_of_day, slots_in


class WeeklyHours(NamedTuple):
    """`visit_types` are the ids of those that can be booked; empty: all."""

    clinic_id: int
    mode: str
    rule: WeeklyRule
    visit_types: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """On each local day from `first_day` to `last_day`, both included, from `starts` to `ends`.

    Time off with `clinic_id` None counts at every clinic, each on its own clock. Extra hours always
    name a clinic.
    """

    is_extra: bool
    clinic_id: int | None
    mode: str
    first_day: date
    last_day: date
    starts: time
    ends: time

    def periods(self, *, zone: ZoneInfo, first: date, last: date) -> Iterator[Period]:
        """Those on the local days from `first` to `last`, both included."""
        day, end = max(first, self.first_day), min(last, self.last_day)
        while day <= end:
            if period := hours_of_day(day=day, starts=self.starts, ends=self.ends, zone=zone):
                yield period
            day += ONE_DAY


class WorkingSlot(NamedTuple):
    """`visit_types` as in WeeklyHours."""

    clinic_id: int
    mode: str
    period: Period
    visit_types: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """`zones` has every clinic of the hours and overrides; `closed` has local days of clinics.
    `busy` counts at every clinic.
    """

    slot_minutes: int
    weekly: Sequence[WeeklyHours]
    overrides: Sequence[Override]
    zones: Mapping[int, ZoneInfo]
    closed: Collection[tuple[int, date]]
    busy: Sequence[Period] = ()

    def slots(self, *, now: datetime, days: int) -> Iterator[WorkingSlot]:
        """Of `days` local days of each clinic, the one of `now` included. Sorted only within each
        block.
        """
        firsts = {pk: now.astimezone(zone).date() for pk, zone in self.zones.items()}
        return self._slots_from(firsts, days=days)

    def slots_from(self, first: date, *, days: int) -> Iterator[WorkingSlot]:
        """As `slots`, of the same days at every clinic."""
        return self._slots_from(dict.fromkeys(self.zones, first), days=days)

    def works_from_to(self, clinic_id: int, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether the doctor works at the clinic for all of [starts_at, ends_at)."""
        [works] = self.works_during(clinic_id, [Period(starts_at, ends_at)])
        return works

    def works_during(self, clinic_id: int, periods: Sequence[Period]) -> list[bool]:
        """Whether the doctor works at the clinic for all of each period, in their order."""
        if clinic_id not in self.zones or not periods:
            return [False for _period in periods]
        zone = self.zones[clinic_id]
        first = min(each.starts_at for each in periods).astimezone(zone).date()
        last = max(each.ends_at for each in periods).astimezone(zone).date()
        days = (last - first).days + 1
        off = self._off(clinic_id, first=first, days=days)
        blocks = sorted(each.period for each in self._blocks_of(clinic_id, first=first, days=days))
        return [_is_covered(each, blocks=blocks, off=off) for each in periods]

    def _slots_from(self, firsts: Mapping[int, date], *, days: int) -> Iterator[WorkingSlot]:
        blocks = [
            block
            for clinic_id, first in firsts.items()
            for block in self._blocks_of(clinic_id, first=first, days=days)
        ]
        weekly = [each for each in blocks if not each.is_extra]
        for block in weekly:
            yield from self._slots_of(block)
        busy = [each.period for each in weekly]
        for block in blocks:
            if block.is_extra:
                yield from self._slots_of(block, apart_from=busy)
                busy.append(block.period)

    def _blocks_of(self, clinic_id: int, *, first: date, days: int) -> Iterator["_Block"]:
        zone, last = self.zones[clinic_id], first + (days - 1) * ONE_DAY
        off = self._off(clinic_id, first=first, days=days)
        for hours in self.weekly:
            if hours.clinic_id != clinic_id:
                continue
            for period in blocks_of(rule=hours.rule, first=first, last=last):
                if (clinic_id, period.starts_at.astimezone(zone).date()) not in self.closed:
                    yield _Block(clinic_id, hours.mode, period, off, hours.visit_types)
        for each in self.overrides:
            if each.is_extra and each.clinic_id == clinic_id:
                for period in each.periods(zone=zone, first=first, last=last):
                    yield _Block(clinic_id, each.mode, period, off, is_extra=True)

    def _off(self, clinic_id: int, *, first: date, days: int) -> list[Period]:
        """Sorted; periods that overlap are one."""
        zone, last = self.zones[clinic_id], first + (days - 1) * ONE_DAY
        off = [
            period
            for each in self.overrides
            if not each.is_extra and each.clinic_id in (None, clinic_id)
            for period in each.periods(zone=zone, first=first, last=last)
        ]
        return united((*off, *self.busy))

    def _slots_of(
        self, block: "_Block", *, apart_from: Sequence[Period] = ()
    ) -> Iterator[WorkingSlot]:
        near = [*_touched(block.period, by=block.off)]
        near += [each for each in apart_from if _overlap(each, block.period)]
        for slot in slots_in(block=block.period, slot_minutes=self.slot_minutes):
            if not any(_overlap(slot, each) for each in near):
                yield WorkingSlot(block.clinic_id, block.mode, slot, block.visit_types)


class _Block(NamedTuple):
    clinic_id: int
    mode: str
    period: Period
    off: Sequence[Period]
    visit_types: tuple[int, ...] = ()
    is_extra: bool = False


def united(periods: Iterable[Period]) -> list[Period]:
    """The same times as sorted periods that do not overlap."""
    found: list[Period] = []
    for each in sorted(periods):
        if found and each.starts_at <= found[-1].ends_at:
            found[-1] = Period(found[-1].starts_at, max(found[-1].ends_at, each.ends_at))
        else:
            found.append(each)
    return found


def _touched(wanted: Period, *, by: Sequence[Period]) -> Sequence[Period]:
    """Those of the united periods that overlap this one: a calendar may have thousands."""
    first = bisect_right(by, wanted.starts_at, key=attrgetter("ends_at"))
    return by[first : bisect_left(by, wanted.ends_at, key=attrgetter("starts_at"))]


def _overlap(a: Period, b: Period) -> bool:
    return a.starts_at < b.ends_at and b.starts_at < a.ends_at


def _is_covered(wanted: Period, *, blocks: Sequence[Period], off: Sequence[Period]) -> bool:
    """Whether the sorted blocks leave no gap in the period, and no time off touches it. `off` is
    united.
    """
    if _touched(wanted, by=off):
        return False
    reached = wanted.starts_at
    for block in blocks:
        if not _overlap(wanted, block):
            continue
        if block.starts_at > reached:
            return False
        reached = max(reached, block.ends_at)
    return reached >= wanted.ends_at
