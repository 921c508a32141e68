"""`make bench SUITE=capacity`: how many cores so many bookings a day keep busy.

A model: it multiplies what was measured. The costs are those of the last recorded runs of
SUITE=told and SUITE=pages, so it says what this machine would need more of. The numbers of looks
before a booking and of bookings in the busiest hour are assumptions; measure your own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devstack.refusals import Refusal
from proof.report import RESULTS, Report, Row

BOOKINGS_A_DAY = (5_000, 1_000_000, 10_000_000)
# What somebody looks at before they book, by the names of SUITE=pages.
LOOKS = {"home": 1, "list": 3, "doctor": 3, "day": 3, "details": 1, "code": 1}
PARTS = ("web", "worker", "relay", "postgres", "valkey")


@dataclass(frozen=True)
class Size:
    """Shares: of a day's bookings, those in its busiest hour; and how busy a core may be before
    people wait for it.
    """

    busiest_hour: float = 0.15
    busy: float = 0.6


def capacity(size: Size) -> Report:
    """Raises Refusal if one of the two was never recorded."""
    told, pages = _record("told"), _record("pages")
    costs = costs_of_a_booking(told["tables"], pages["tables"])
    return Report(
        scenario="capacity",
        seed=0,
        database=told["database"],
        tables={
            "CPU milliseconds of a booking": [
                {"what": what, **{part: f"{ms:.2f}" for part, ms in by_part.items()}}
                for what, by_part in costs.items()
            ],
            "Cores that are needed in the busiest hour": [
                _row(a_day, costs, size) for a_day in BOOKINGS_A_DAY
            ],
        },
        figures={
            "measured at": f"{told['revision']} (told), {pages['revision']} (pages)",
            "looked at before": ", ".join(f"{n} × {page}" for page, n in LOOKS.items()),
        },
        findings=[],
    )


def costs_of_a_booking(
    told: Mapping[str, Sequence[Mapping[str, Any]]],
    pages: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, dict[str, float]]:
    """Milliseconds by part: of looking before it, and of the booking until it is told."""
    (of_pages,) = (rows for rows in pages.values() if "page" in rows[0] and "CPU ms" in rows[0])
    by_page = {str(row["page"]): row for row in of_pages}
    (of_told,) = (rows for rows in told.values() if "processes" in rows[0])
    by_process = {str(row["processes"]): float(row["here"]) for row in of_told}
    return {
        "looking": {
            part: sum(n * float(by_page[page].get(part, 0.0)) for page, n in LOOKS.items())
            for part in PARTS
        },
        "booking, told": {part: by_process.get(part, 0.0) for part in PARTS},
    }


def _row(a_day: int, costs: Mapping[str, Mapping[str, float]], size: Size) -> Row:
    a_second = a_day * size.busiest_hour / 3600
    cores = {
        part: a_second * sum(by_part[part] for by_part in costs.values()) / 1000 / size.busy
        for part in PARTS
    }
    return {
        "bookings a day": f"{a_day:,}",
        "a second": f"{a_second:.1f}",
        **{part: f"{each:.2f}" for part, each in cores.items()},
        "all": f"{sum(cores.values()):.2f}",
    }


def _record(suite: str) -> dict[str, Any]:
    path = RESULTS / f"bench-{suite}.json"
    if not path.is_file():
        raise Refusal(f"Run `make bench SUITE={suite}` first: its record is multiplied here.")
    return dict(json.loads(path.read_text()))
