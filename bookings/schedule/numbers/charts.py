"""Where the parts of a chart are drawn: whole numbers in the units of its view box.

Colours and fonts come from the stylesheet, and words from the presentation. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

WIDTH, HEIGHT = 640, 262
LEFT, RIGHT, TOP, BOTTOM = 44, 636, 12, 228
# A label of a bar, and one of the axis, are about as wide.
SHARE_WIDTH, LABEL_WIDTH = 34, 62
SPARK_WIDTH, SPARK_HEIGHT = 220, 44
CELL_WIDTH, CELL_HEIGHT, CELL_GAP, ROW_HEAD, COLUMN_HEAD = 56, 34, 4, 48, 26
LEVELS = (40, 65, 85)


@dataclass(frozen=True)
class Rect:
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True)
class Line:
    """A line of the grid, with its number."""

    y: int
    label: str


@dataclass(frozen=True)
class Group:
    """The bars of one part of the period. `label` is empty where the axis has no room."""

    middle: int
    label: str
    bars: list[Rect]
    share: str = ""

    @property
    def share_y(self) -> int:
        return self.bars[-1].y + 18


@dataclass(frozen=True)
class BarChart:
    groups: list[Group]
    lines: list[Line]
    width: int = WIDTH
    height: int = HEIGHT


def _steps(highest: float) -> list[int]:
    """Round numbers from 0 to at least `highest`, at most six."""
    units = (unit * 10**power for power in range(7) for unit in (1, 2, 5))
    unit = next(each for each in units if each * 4 >= highest)
    return [unit * number for number in range(max(1, ceil(highest / unit)) + 1)]


def _y(value: float, highest: int) -> int:
    return round(BOTTOM - (BOTTOM - TOP) * value / highest)


def _lines(steps: Sequence[int], suffix: str = "") -> list[Line]:
    return [Line(_y(each, steps[-1]), f"{each}{suffix}") for each in steps]


def _places(labels: Sequence[str]) -> list[tuple[float, float, str]]:
    """The left end and the width of each group, and its label on the axis."""
    width = (RIGHT - LEFT) / max(1, len(labels))
    every = max(1, ceil(LABEL_WIDTH / width))
    return [
        (LEFT + width * number, width, "" if number % every else label)
        for number, label in enumerate(labels)
    ]


def fill_chart(parts: Sequence[tuple[str, int, int, float | None]]) -> BarChart:
    """A bar of the offered times, and before it one of those booked: (label, offered, booked,
    share in percent).
    """
    steps = _steps(max((offered for _label, offered, _booked, _share in parts), default=0))
    places = _places([part[0] for part in parts])
    groups = []
    for (left, room, label), (_label, offered, booked, share) in zip(places, parts, strict=True):
        width = min(46, round(room * 0.6))
        x = round(left + (room - width) / 2)
        bars = [_bar(x, width, each, highest=steps[-1]) for each in (offered, booked)]
        fits = width >= SHARE_WIDTH - 8 and bars[-1].height > 24 and share is not None
        sign = "\N{NO-BREAK SPACE}%" if width > SHARE_WIDTH else ""
        text = f"{share:.0f}{sign}" if fits else ""
        groups.append(Group(round(left + room / 2), label, bars, text))
    return BarChart(groups, _lines(steps))


def share_chart(parts: Sequence[tuple[str, Sequence[float | None]]]) -> BarChart:
    """Bars of several shares in percent beside each other: (label, shares)."""
    steps = _steps(max((each or 0 for _label, shares in parts for each in shares), default=0))
    groups = []
    for (left, room, label), (_label, shares) in zip(
        _places([part[0] for part in parts]), parts, strict=True
    ):
        width = min(20, round(room * 0.6 / max(1, len(shares))))
        first = left + (room - width * len(shares)) / 2
        bars = [
            _bar(round(first + width * number), width - 1, each or 0, highest=steps[-1])
            for number, each in enumerate(shares)
        ]
        groups.append(Group(round(left + room / 2), label, bars))
    return BarChart(groups, _lines(steps, "\N{NO-BREAK SPACE}%"))


def _bar(x: int, width: int, value: float, *, highest: int) -> Rect:
    y = _y(value, highest)
    return Rect(x, y, max(1, width), BOTTOM - y)


@dataclass(frozen=True)
class Cell:
    """`level` is 1 to 4; 0 for an hour without offered times, which has no text."""

    rect: Rect
    level: int
    text: str

    @property
    def baseline(self) -> int:
        return self.rect.y + CELL_HEIGHT // 2 + 5


@dataclass(frozen=True)
class HeatMap:
    columns: list[tuple[int, str]]
    rows: list[tuple[int, str, list[Cell]]]
    width: int
    height: int


def heat_map(
    *, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[float | None]]]
) -> HeatMap:
    """Shares in percent, by the names of columns and rows."""
    step, down = CELL_WIDTH + CELL_GAP, CELL_HEIGHT + CELL_GAP
    lefts = [ROW_HEAD + step * number for number in range(len(columns))]
    drawn = []
    for number, (name, shares) in enumerate(rows):
        y = COLUMN_HEAD + down * number
        cells = [
            Cell(Rect(x, y, CELL_WIDTH, CELL_HEIGHT), _level(each), _whole(each))
            for x, each in zip(lefts, shares, strict=True)
        ]
        drawn.append((y + CELL_HEIGHT // 2 + 5, name, cells))
    heads = [(x + CELL_WIDTH // 2, name) for x, name in zip(lefts, columns, strict=True)]
    height = COLUMN_HEAD + down * len(rows)
    return HeatMap(heads, drawn, ROW_HEAD + step * len(columns), height)


def _level(share: float | None) -> int:
    return 0 if share is None else 1 + sum(share >= least for least in LEVELS)


def _whole(share: float | None) -> str:
    return "" if share is None else f"{share:.0f}"


def spark_lines(values: Iterable[float | None]) -> list[str]:
    """Points of lines through these values; a line ends where a value is missing."""
    placed = list(enumerate(values))
    known = [value for _number, value in placed if value is not None]
    if len(known) < 2:
        return []
    low, high = min(known), max(known)
    step, scale = SPARK_WIDTH / (len(placed) - 1), (SPARK_HEIGHT - 8) / ((high - low) or 1)
    lines = []
    for is_gap, run in groupby(placed, key=lambda each: each[1] is None):
        points = [
            f"{round(number * step)},{round(SPARK_HEIGHT - 4 - ((value or 0) - low) * scale)}"
            for number, value in run
        ]
        if not is_gap:
            lines.append(" ".join(points))
    return lines


@dataclass(frozen=True)
class LeadBar:
    y: int
    width: int
    label: str
    share: str

    @property
    def baseline(self) -> int:
        return self.y + 12


LEAD_STEP, LEAD_ROOM = 34, 170


def lead_bars(groups: Sequence[tuple[str, float | None, str]]) -> list[LeadBar]:
    """(label, share in percent, share in words); the largest share has the whole width."""
    most = max((share or 0 for _label, share, _words in groups), default=0) or 1
    return [
        LeadBar(LEAD_STEP * number + 4, round(LEAD_ROOM * (share or 0) / most), label, words)
        for number, (label, share, words) in enumerate(groups)
    ]
