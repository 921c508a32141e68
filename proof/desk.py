"""`make bench SUITE=desk`: how soon a secretary sees who is calling, among 200,000 patients.

All of them are patients of the reader's own practice, which is the most that a search can go
through. Names are drawn from four countries, so that hundreds share a last name.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from devstack.interrupts import interrupts_noted
from proof.figures import percentile
from proof.findings import Finding
from proof.report import Report, Row
from proof.stack import running_stack

PROMISED_MS = 30


@dataclass(frozen=True)
class Size:
    patients: int = 200_000
    searches: int = 200
    seed: int = 1


def desk(size: Size) -> Report:
    load_before = [round(each, 2) for each in os.getloadavg()]
    arguments = [part for name, n in asdict(size).items() for part in (f"--{name}", str(n))]
    with interrupts_noted() as interrupts, running_stack(interrupts=interrupts) as stack:
        timed = json.loads(stack.run("-m", "proof.desk_searches", *arguments))
        return Report(
            scenario="desk",
            seed=size.seed,
            database=stack.database_settings,
            tables={"Searches": rows_of(timed)},
            figures={"load average before": str(load_before), "patients": size.patients},
            findings=[slow(timed)],
        )


def rows_of(timed: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Row]:
    return [
        {
            "what is typed": kind,
            "searches": len(each["ms"]),
            "found": f"{sum(each['found']) / len(each['found']):.1f}",
            "p50 ms": f"{percentile(each['ms'], 0.5):.1f}",
            "p95 ms": f"{percentile(each['ms'], 0.95):.1f}",
            "slowest": f"{max(each['ms']):.1f}",
        }
        for kind, each in timed.items()
    ]


def slow(timed: Mapping[str, Mapping[str, Sequence[float]]]) -> Finding:
    """The promise is one about all searches together, as a day at a desk mixes them."""
    everything = [ms for each in timed.values() for ms in each["ms"]]
    p95 = percentile(everything, 0.95)
    promise = f"searches of a mixed day whose p95 is {PROMISED_MS} ms or more (it is {p95:.1f})"
    return Finding(promise, int(p95 >= PROMISED_MS))
