"""Figures of a history: how many, how fast, and when."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from proof.history import Event

MILLISECOND = 10**6
BOOKING = ("hold", "confirm", "move")


@dataclass(frozen=True)
class Answered:
    """One request and its answer; times in nanoseconds."""

    f: str
    begun: int
    took: int
    type: str
    status: int
    code: str


def answered(history: Iterable[Event]) -> list[Answered]:
    """Every try, answered or not."""
    under_way: dict[str, int] = {}
    found = []
    for event in history:
        if event.type == "invoke":
            under_way[event.op] = event.at
        else:
            begun = under_way[event.op]
            took = event.at - begun
            found.append(Answered(event.f, begun, took, event.type, event.status, event.code))
    return found


def percentile(values: Iterable[float], share: float) -> float:
    """Zero for no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def milliseconds(answers: Iterable[Answered], share: float) -> float:
    times = [each.took / MILLISECOND for each in answers if each.type != "info"]
    return round(percentile(times, share), 1)


def by_act(answers: Sequence[Answered]) -> list[dict[str, object]]:
    """A row for each act: how often, how it ended, and how long it took in milliseconds."""
    rows = []
    for f in dict.fromkeys(each.f for each in answers):
        mine = [each for each in answers if each.f == f]
        ends = Counter(each.type for each in mine)
        rows.append(
            {
                "act": f,
                "requests": len(mine),
                "ok": ends["ok"],
                "refused": ends["fail"],
                "no answer": ends["info"],
                "p50 ms": milliseconds(mine, 0.5),
                "p99 ms": milliseconds(mine, 0.99),
            }
        )
    return sorted(rows, key=lambda row: str(row["act"]))


def refusals(answers: Iterable[Answered]) -> dict[str, int]:
    return dict(Counter(f"{each.status} {each.code}" for each in answers if each.type == "fail"))


def between(answers: Iterable[Answered], begin: int, end: int) -> list[Answered]:
    """The ones that were asked in [begin, end)."""
    return [each for each in answers if begin <= each.begun < end]


def bookings(answers: Iterable[Answered]) -> list[Answered]:
    return [each for each in answers if each.f in BOOKING]
