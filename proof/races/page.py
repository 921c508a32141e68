"""docs/concurrency.md: made of docs/results/races.json and proof/races/guards.py."""

import json
import sys
from collections.abc import Iterator, Sequence

from devstack.layout import ROOT
from devstack.snapshots import compare
from proof.races.guards import GUARDS
from proof.races.results import Control, Met
from proof.races.verbs import FURTHER, VERBS
from proof.report import RESULTS

_MARKS = {"one after the other": "", "turned away": " (turned away)", "": " (wrong)"}
PAGE = ROOT / "docs" / "concurrency.md"

_INTRODUCTION = """\
# When two act at once

Written by `make proof ARGS=races` from what it has found (`docs/results/races.json`) and from
`proof/races/guards.py`; after a change of words, by `make proof ARGS="races --page"`.

Two callers run the real services, each on its own connection to PostgreSQL. Each stops before every
statement that it sends, before every commit, and before every statement inside the functions of the
database that touches a table. One of them goes on at a time. So every order can be tried, of the
statements that share a table with the other caller: first without a switch between the two, then
with one, then with two. Redis is left out, as if it were gone: the database alone decides. Time
passes when an act says so, between any two statements.

After each schedule, every promise about the data is checked (`bookings/invariants`). Each caller
must have got an answer or a refusal in words, and they must not have waited for each other in a
circle. Both answers and all rows must be those of one order or the other. There is one exception: a
time that somebody works on just now counts as held. Who wants it is turned away at once, even if
the other one then gives it back.

`make proof ARGS="races --meeting 'hold + sweep: a part of a lapsed time' --schedule 0:13"` shows
one schedule, statement by statement. `0:13` says: the first caller begins, and before step 13 the
turn goes to the other.
"""
_LOCKS = """\
## What keeps them apart

In the order in which a transaction takes its locks; after them, what refuses by itself. Each was
taken away, together with whatever stands behind it, and the meeting beside it went wrong as
described.

| | what | why | without it |
|---|---|---|---|
"""
_MATRIX = """\
## Each pair

**1**: it always ends in the same way. **2**: the first to come decides. **t**: somebody may be
turned away as well. The ends and the number of schedules are below.

"""


def page(met: Sequence[Met], controls: Sequence[Control]) -> str:
    parts = [
        _INTRODUCTION,
        _figures(met),
        _LOCKS + "\n".join(_locks(controls)),
        _MATRIX + "\n".join(_matrix(met)),
    ]
    for verb in (*VERBS, *FURTHER):
        mine = sorted((each for each in met if each.first == verb), key=_place)
        if mine:
            parts.append(f"## {verb.capitalize()}, and\n\n" + "\n".join(_meetings(mine)))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _figures(met: Sequence[Met]) -> str:
    most = max(each.switches for each in met)
    full = sum(each.switches == most for each in met)
    fewer = (
        "" if full == len(met) else f"; {len(met) - full} of them with fewer switches than {most}"
    )
    return f"{len(met)} meetings, {sum(each.schedules for each in met)} schedules{fewer}."


def _locks(controls: Sequence[Control]) -> Iterator[str]:
    found = {each.guard: each for each in controls}
    for number, guard in enumerate(GUARDS.values(), start=1):
        behind = f", and without *{'* and *'.join(guard.behind)}*" if guard.behind else ""
        faults = found[guard.name].faults if guard.name in found else ["not explored"]
        yield (
            f"| {number} | **{guard.name}**: {guard.kind} | {guard.why}"
            f" | {guard.shown_by}{behind}: {'; '.join(faults)} |"
        )


def _matrix(met: Sequence[Met]) -> Iterator[str]:
    yield f"| | {' | '.join(VERBS)} |"
    yield "|---" * (len(VERBS) + 1) + "|"
    for row in VERBS:
        yield f"| **{row}** | {' | '.join(_cell(row, column, met) for column in VERBS)} |"


def _cell(row: str, column: str, met: Sequence[Met]) -> str:
    ways = [way for each in met if {each.first, each.second} == {row, column} for way in each.ways]
    if not ways:
        return ""
    decides = max(
        len({way.results for way in each.ways if way.why != "turned away"})
        for each in met
        if {each.first, each.second} == {row, column}
    )
    is_turned_away = any(way.why == "turned away" for way in ways)
    return ("2" if decides > 1 else "1") + ("t" if is_turned_away else "")


def _place(each: Met) -> tuple[int, str]:
    return [*VERBS, *FURTHER].index(each.second), each.over


def _meetings(met: Sequence[Met]) -> Iterator[str]:
    yield "| and | over | told | schedules |"
    yield "|---|---|---|---|"
    for each in met:
        ways = "; ".join(f"{' / '.join(way.results)}{_MARKS[way.why]}" for way in each.ways)
        yield f"| {each.second} | {each.over} | {ways} | {each.schedules} |"


def made() -> str:
    """The page of the results on disk."""
    found = json.loads((RESULTS / "races.json").read_text())
    met = [Met.of_row(row) for row in found["meetings"]]
    return page(met, [Control(**row) for row in found["controls"]])


def compare_page() -> int:
    """Exit code 1, and the difference, if the page differs from the guards and the results."""
    advice = 'Guards or results have changed: `make proof ARGS="races --page"`.'
    return compare(path=PAGE, made=made(), advice=advice)


if __name__ == "__main__":
    sys.exit(compare_page())
