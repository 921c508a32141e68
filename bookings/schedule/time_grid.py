"""Lines of the schedule as columns of a grid: where each begins, and how long it is. Pure.

A column is a day of one doctor, or a doctor of one day. Each line stands where the clock of its own
place puts it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bookings.schedule.day_schedule import ScheduleLine
from bookings.states import ACTIVE
from doctors.rules import minutes_of
from doctors.templatetags.clinic_time import clock

DAY = 24 * 60
# What is drawn if nothing needs more: minutes of the day.
USUAL_START, USUAL_END = 8 * 60, 16 * 60
# An entry must be high enough to read: the shortest one says how high a minute is.
SCALES = (20, 15, 10, 5)
# Neighbours of these kinds are drawn as one.
_JOINED = frozenset({"free", "past", "blocked"})


@dataclass(frozen=True)
class GridEntry:
    """A line from `starts` to `ends`, in minutes of its local day. `times` is how many slots it is.

    Of two that overlap, the second stands in lane 2: visits in zones of their own can do that.
    """

    line: ScheduleLine
    starts: int
    ends: int
    times: int = 1
    lane: int = 1

    @property
    def classes(self) -> str:
        """Where it stands; see static/css/minutes.css."""
        start, length = divmod(self.starts, 60), divmod(self.ends - self.starts, 60)
        lane = " lane-2" if self.lane == 2 else ""
        return f"h-{start[0]} m-{start[1]} lh-{length[0]} lm-{length[1]}{lane}"

    @property
    def period(self) -> str:
        zone = self.line.place.zone
        return f"{clock(self.line.starts_at, zone)}–{clock(self.line.ends_at, zone)}"


@dataclass(frozen=True)
class Column:
    """`closed` says why there are no hours, if patients may know."""

    doctor_id: int
    day: date
    name: str
    url: str
    entries: list[GridEntry]
    closed: str = ""
    is_current: bool = False

    @property
    def visits(self) -> int:
        return sum(entry.line.kind in ACTIVE for entry in self.entries)

    @property
    def free(self) -> int:
        return sum(entry.times for entry in self.entries if entry.line.kind == "free")


@dataclass(frozen=True)
class TimeGrid:
    """`now` is in minutes of the day; None if no column is today's."""

    columns: list[Column]
    now: int | None = None

    @property
    def first_hour(self) -> int:
        return min([USUAL_START, *(entry.starts for entry in self._entries())]) // 60

    @property
    def hours(self) -> list[int]:
        last = max([USUAL_END, *(entry.ends for entry in self._entries())])
        return list(range(self.first_hour, -(-last // 60)))

    @property
    def scale(self) -> int:
        """Of SCALES."""
        lengths = (
            entry.ends - entry.starts
            for entry in self._entries()
            if entry.line.kind not in (*_JOINED, "gap")
        )
        shortest = min(lengths, default=SCALES[0])
        return next((scale for scale in SCALES if scale <= shortest), SCALES[-1])

    @property
    def now_classes(self) -> str:
        """Empty if the present moment is not drawn."""
        if self.now is None or self.now // 60 not in self.hours:
            return ""
        return f"h-{self.now // 60} m-{self.now % 60}"

    def _entries(self) -> Iterator[GridEntry]:
        return (entry for column in self.columns for entry in column.entries)


def entries_of(lines: Sequence[ScheduleLine]) -> list[GridEntry]:
    """Of lines in order of time."""
    found: list[GridEntry] = []
    for line, times in _joined(lines):
        starts, ends = _minutes_of_day(line)
        lane = 2 if any(each.ends > starts and each.lane == 1 for each in found) else 1
        found.append(GridEntry(line, starts, ends, times, lane))
    return found


def _joined(lines: Sequence[ScheduleLine]) -> Iterator[tuple[ScheduleLine, int]]:
    """Each with the number of slots that it has."""
    run: list[ScheduleLine] = []
    for line in lines:
        if run and not _is_joined(run[-1], line):
            yield _as_one(run)
            run = []
        run.append(line)
    if run:
        yield _as_one(run)


def _is_joined(before: ScheduleLine, after: ScheduleLine) -> bool:
    same = (before.kind, before.place) == (after.kind, after.place)
    return same and before.kind in _JOINED and before.ends_at == after.starts_at


def _as_one(run: Sequence[ScheduleLine]) -> tuple[ScheduleLine, int]:
    is_now = any(line.is_now for line in run)
    return replace(run[0], ends_at=run[-1].ends_at, is_now=is_now), len(run)


def _minutes_of_day(line: ScheduleLine) -> tuple[int, int]:
    """What ends on the next day is drawn to the end of its own. The clock may be set back between:
    nothing is drawn shorter than its time takes at least.
    """
    starts, ends = (each.astimezone(line.place.zone) for each in (line.starts_at, line.ends_at))
    begin = minutes_of(starts)
    until = minutes_of(ends) if ends.date() == starts.date() else DAY
    return begin, max(until, min(begin + SCALES[-1], DAY))
