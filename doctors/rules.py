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

    def takes(self, mode: str) -> bool:
        return self.mode in (mode, "any")


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
    and in one mode. Empty if there are fewer. `grid` is sorted by start.
    """
    run = tuple(grid[first : first + length])
    if len(run) < length:
        return ()
    for before, after in pairwise(run):
        same_place = (before.clinic_id, before.mode) == (after.clinic_id, after.mode)
        if before.ends_at != after.starts_at or not same_place:
            return ()
    return run


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


def visit_times(
    grid: Sequence[GridSlot], *, length: int, kept_free: int, mode: str, now: datetime
) -> tuple[list[VisitTime], list[VisitTime]]:
    """(free, on hold): when a visit of `length` slots in `mode` can start in one doctor's grid,
    with `kept_free` slots after it. The database function `bookings_run_of_slots` takes the same
    slots.

    A time is on hold if at least one slot is held, and none is booked or blocked.
    """
    if length == 1 and not kept_free:
        return _single_slots(grid, modes=(mode, "any"), now=now)
    free: list[VisitTime] = []
    on_hold: list[VisitTime] = []
    for index, slot in enumerate(grid):
        if slot.state in ("booked", "blocked") or not slot.takes(mode):
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
    grid: Sequence[GridSlot], *, modes: tuple[str, str], now: datetime
) -> tuple[list[VisitTime], list[VisitTime]]:
    """Most visits take one slot and no buffer. For them no slot has to check its neighbours."""
    free: list[VisitTime] = []
    on_hold: list[VisitTime] = []
    for slot in grid:
        if slot.mode not in modes:
            continue
        if slot.state == "open" or slot.is_free(now=now):
            free.append(VisitTime((slot,)))
        elif slot.is_on_hold(now=now):
            on_hold.append(VisitTime((slot,)))
    return free, on_hold


def free_times(
    grid: Sequence[GridSlot], *, length: int, kept_free: int, mode: str, now: datetime
) -> Iterator[VisitTime]:
    """The free ones of `visit_times`, each worked out when it is asked for."""
    modes = (mode, "any")
    is_alone = length == 1 and not kept_free  # as most visits are: the slot itself decides
    for index, slot in enumerate(grid):
        if slot.mode not in modes or not (slot.state == "open" or slot.is_free(now=now)):
            continue
        if is_alone:
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
    days of its clinic, today included.
    """

    now: datetime
    min_notice_minutes: int
    horizon_days: int

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
        """The times that notice and horizon allow."""
        earliest, surely = self.earliest, self._surely
        for time in times:
            starts_at = time.starts_at
            if earliest <= starts_at and (
                starts_at < surely or time.local_day <= self.last_day(time.zone)
            ):
                yield time

    def allowed_in_order(self, times: Sequence[VisitTime]) -> list[VisitTime]:
        """The same of times in order: only those at the end of the horizon need a look."""
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
