"""Calendar policy without a database: when a visit can start, and parts of the day."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Place:
    """The clinic of a slot: its address and its clock. `time_zone` is an IANA name."""

    id: int
    name: str
    street: str
    postcode: str
    city: str
    time_zone: str

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def address(self) -> str:
        return f"{self.street}, {' '.join(filter(None, (self.postcode, self.city)))}"


class GridSlot(NamedTuple):
    """One row of a doctor's grid. Instants are aware. A tuple, because a page makes a thousand."""

    id: int
    doctor_id: int
    place: Place
    mode: str
    starts_at: datetime
    ends_at: datetime
    state: str
    held_until: datetime | None
    hold_id: UUID | None
    visit_types: list[int] | None = None

    @property
    def clinic_id(self) -> int:
        return self.place.id

    @property
    def local_day(self) -> date:
        """The day on which it starts, on its clinic's clock."""
        return self.starts_at.astimezone(self.place.zone).date()

    def is_free(self, *, now: datetime) -> bool:
        """Open, or held by an expired hold: a hold that nobody has swept yet blocks nobody."""
        return self.state == "open" or (self.state == "held" and not self.is_on_hold(now=now))

    def is_on_hold(self, *, now: datetime) -> bool:
        return self.state == "held" and self.held_until is not None and self.held_until > now

    def takes(self, wanted: "Wanted") -> bool:
        return self.mode in (wanted.mode, "any") and (
            self.visit_types is None or wanted.visit_type_id in self.visit_types
        )


@dataclass(frozen=True)
class VisitTime:
    """A time at which a visit can start, or could if nobody held it: [starts_at, ends_at)."""

    slots: tuple[GridSlot, ...]

    @property
    def slot_id(self) -> int:
        return self.slots[0].id

    @property
    def doctor_id(self) -> int:
        return self.slots[0].doctor_id

    @property
    def starts_at(self) -> datetime:
        return self.slots[0].starts_at

    @property
    def ends_at(self) -> datetime:
        return self.slots[-1].ends_at

    @property
    def place(self) -> Place:
        return self.slots[0].place

    @property
    def zone(self) -> ZoneInfo:
        return self.place.zone

    @property
    def local_day(self) -> date:
        return self.slots[0].local_day


def adjacent_run(grid: Sequence[GridSlot], *, first: int, length: int) -> tuple[GridSlot, ...]:
    """The `length` slots from index `first` on that follow each other without a gap, at one clinic
    and for the same visits. Empty if there are fewer. `grid` is sorted by start.
    """
    run = tuple(grid[first : first + length])
    if len(run) < length:
        return ()
    for before, after in pairwise(run):
        if before.ends_at != after.starts_at or _is_for(before) != _is_for(after):
            return ()
    return run


def _is_for(slot: GridSlot) -> tuple[int, str, list[int] | None]:
    return slot.clinic_id, slot.mode, slot.visit_types


def buffer_after(grid: Sequence[GridSlot], *, last: int, length: int) -> tuple[GridSlot, ...]:
    """Up to `length` slots that follow index `last` without a gap: a visit keeps them free.

    If the grid ends or is blocked there, nobody can come anyway, so nothing has to be kept free.
    """
    kept: list[GridSlot] = []
    for before, slot in pairwise(grid[last : last + length + 1]):
        if before.ends_at != slot.starts_at or slot.state == "blocked":
            break
        kept.append(slot)
    return tuple(kept)


class Wanted(NamedTuple):
    """What a visit takes of a grid: `length` slots, and `kept_free` after them."""

    visit_type_id: int
    mode: str
    length: int
    kept_free: int

    @property
    def is_single(self) -> bool:
        """Most visits take one slot and keep none free: then the slot itself decides."""
        return self.length == 1 and not self.kept_free


def visit_times(
    grid: Sequence[GridSlot], wanted: Wanted, *, now: datetime
) -> tuple[list[VisitTime], list[VisitTime]]:
    """(free, on hold): when such a visit can start in one doctor's grid. The database function
    `bookings_run_of_slots` takes the same slots.

    A time is on hold if at least one slot is held, and none is booked or blocked.
    """
    if wanted.is_single:
        return _single_slots(grid, wanted, now=now)
    length, kept_free = wanted.length, wanted.kept_free
    free: list[VisitTime] = []
    on_hold: list[VisitTime] = []
    for index, slot in enumerate(grid):
        if slot.state in ("booked", "blocked") or not slot.takes(wanted):
            continue
        run = adjacent_run(grid, first=index, length=length)
        if not run:
            continue
        claimed = run + buffer_after(grid, last=index + length - 1, length=kept_free)
        if all(each.is_free(now=now) for each in claimed):
            free.append(VisitTime(run))
        elif all(each.is_free(now=now) or each.is_on_hold(now=now) for each in claimed):
            on_hold.append(VisitTime(run))
    return free, on_hold


def _single_slots(
    grid: Sequence[GridSlot], wanted: Wanted, *, now: datetime
) -> tuple[list[VisitTime], list[VisitTime]]:
    """No slot has to look at its neighbours. A page asks for a thousand slots, so what `takes`
    says is said here without a call.
    """
    free: list[VisitTime] = []
    on_hold: list[VisitTime] = []
    visit_type_id, mode = wanted.visit_type_id, wanted.mode
    modes = (mode, "any")
    for slot in grid:
        types = slot.visit_types
        if slot.mode not in modes or (types is not None and visit_type_id not in types):
            continue
        if slot.state == "open" or slot.is_free(now=now):
            free.append(VisitTime((slot,)))
        elif slot.is_on_hold(now=now):
            on_hold.append(VisitTime((slot,)))
    return free, on_hold


def free_times(grid: Sequence[GridSlot], wanted: Wanted, *, now: datetime) -> Iterator[VisitTime]:
    """The free ones of `visit_times`, each worked out when it is asked for."""
    visit_type_id, mode, length, kept_free = wanted
    modes = (mode, "any")
    is_single = wanted.is_single
    for index, slot in enumerate(grid):
        types = slot.visit_types
        if slot.mode not in modes or (types is not None and visit_type_id not in types):
            continue
        if not (slot.state == "open" or slot.is_free(now=now)):
            continue
        if is_single:
            yield VisitTime((slot,))
            continue
        run = adjacent_run(grid, first=index, length=length)
        after = buffer_after(grid, last=index + length - 1, length=kept_free)
        if run and all(each.is_free(now=now) for each in run + after):
            yield VisitTime(run)


PARTS_OF_DAY = ("morning", "afternoon", "evening")


def part_of_day(moment: datetime) -> str:
    """Morning until 12:00, afternoon until 17:00, then evening, by the clock of `moment`."""
    if moment.hour < 12:
        return "morning"
    return "afternoon" if moment.hour < 17 else "evening"


def minutes_of(moment: datetime) -> int:
    """Since midnight, by the clock of `moment`."""
    return moment.hour * 60 + moment.minute


# No clock on earth is further from UTC.
FURTHEST_ZONE = timedelta(hours=14)


def instants_of_days(first: date, last: date) -> tuple[datetime, datetime]:
    """The period that contains these local days in every zone. Both days are included."""
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - FURTHEST_ZONE
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    return start, end + FURTHEST_ZONE


@dataclass(frozen=True)
class BookingWindow:
    """When a visit booked `now` can start: after the notice, and on one of `horizon_days` local
    days of its clinic, today included, but not on one of `full_days`, which have as many visits as
    the doctor wants.
    """

    now: datetime
    min_notice_minutes: int
    horizon_days: int
    full_days: frozenset[date] = frozenset()

    @property
    def earliest(self) -> datetime:
        return self.now + timedelta(minutes=self.min_notice_minutes)

    @property
    def latest(self) -> datetime:
        """No clinic on earth has a later start than this."""
        return self.now + timedelta(days=self.horizon_days) + timedelta(hours=1)

    @property
    def _surely(self) -> datetime:
        """Up to here, the day is within the horizon in every zone."""
        return self.now + timedelta(days=self.horizon_days - 2)

    def last_day(self, zone: ZoneInfo) -> date:
        return self.now.astimezone(zone).date() + timedelta(days=self.horizon_days - 1)

    def allowed(self, times: Iterable[VisitTime]) -> Iterator[VisitTime]:
        """The times that notice, horizon and full days allow."""
        earliest, surely, full = self.earliest, self._surely, self.full_days
        for time in times:
            starts_at = time.starts_at
            if full and time.local_day in full:
                continue
            if earliest <= starts_at and (
                starts_at < surely or time.local_day <= self.last_day(time.zone)
            ):
                yield time

    def allowed_in_order(self, times: Sequence[VisitTime]) -> list[VisitTime]:
        """The same of times in order: only those at the end of the horizon need a look, unless
        there are full days.
        """
        if self.full_days:
            return list(self.allowed(times))
        start = attrgetter("starts_at")
        first = bisect_left(times, self.earliest, key=start)
        surely = bisect_left(times, self._surely, lo=first, key=start)
        return [*times[first:surely], *self.allowed(times[surely:])]


def by_day(times: Iterable[VisitTime]) -> dict[date, list[VisitTime]]:
    """Times by the day on which they start on their own clinic's clock, days in order."""
    days: dict[date, list[VisitTime]] = {}
    for time in times:
        first = time.slots[0]  # in place of `time.local_day`: a page asks a thousand times
        day = first.starts_at.astimezone(first.place.zone).date()
        days.setdefault(day, []).append(time)
    return dict(sorted(days.items()))
