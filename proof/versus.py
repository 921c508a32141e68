"""Bookings of this revision beside those of another one.

Both run at once, each on engines of its own, and are loaded in turn: so the mood of the machine
meets both. Compare the shares, which this mood moves least. pgbench's tpcb-like runs before and
after each round, on the engines of this revision.

Then come rounds in which bookings are due at a fixed rate, 80 % of what each side just did: so
requests wait as long as they would on a busy day, not as long as the clients push. This side also
gets the other one's rate: does anybody wait longer than before on the same day?
"""

import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import pairwise

from devstack.console import say
from devstack.interrupts import interrupts_noted
from proof.booking_load import (
    ACTS,
    CLIENTS,
    HTTP_DOCTORS,
    HTTP_PATIENTS,
    SLOTS,
    Load,
    Size,
    cost,
    over_http,
)
from proof.figures import percentile
from proof.findings import Finding, invariants
from proof.fixtures import Fixture, make_fixture, renewed
from proof.report import Report, Row
from proof.revisions import code_of
from proof.stack import Stack, running_stack
from proof.yardstick import make_yardstick, tpcb_like

WARM_UP_SECONDS = 3
YARDSTICK_SECONDS = 4
SHARE_OF_CAPACITY = 0.8


@dataclass
class Side:
    """One of the revisions, and its load in each round: at full speed, at its rate, and at the
    other's. `taken` tasks are used up.
    """

    name: str
    stack: Stack
    fixture: Fixture
    taken: int = 0
    loads: list[Load] = field(default_factory=list)
    loads_at_rate: list[Load] = field(default_factory=list)
    loads_at_the_others: list[Load] = field(default_factory=list)

    def book(self, size: Size, *, name: str, rate: float = 0.0) -> Load:
        fixture = renewed(self.stack, self.fixture)
        load = over_http(self.stack, fixture, size, skip=self.taken, name=name, rate=rate)
        self.taken += load.taken
        return load

    @property
    def rate(self) -> float:
        """Bookings a second that it can surely do."""
        speeds = (load.bookings_a_second for load in self.loads)
        return SHARE_OF_CAPACITY * statistics.median(speeds)


def compare_bookings(size: Size, *, against: str) -> Report:
    """`against` is a revision for git. Raises Refusal if there is none."""
    load_before = [round(each, 2) for each in os.getloadavg()]
    with interrupts_noted() as interrupts, ExitStack() as running:
        code = running.enter_context(code_of(against))
        stacks = {
            "here": running.enter_context(running_stack(interrupts=interrupts)),
            against: running.enter_context(running_stack(interrupts=interrupts, code=code)),
        }
        here, there = sides = [_side(name, stack, size) for name, stack in stacks.items()]
        make_yardstick(here.stack)
        yardstick = [tpcb_like(here.stack, seconds=YARDSTICK_SECONDS)]
        for number in range(1, size.rounds + 1):
            # Each goes first in every other round.
            for side in sides if number % 2 else reversed(sides):
                side.loads.append(side.book(size, name=f"round-{number}"))
            yardstick.append(tpcb_like(here.stack, seconds=YARDSTICK_SECONDS))
            a, b = (60 * side.loads[-1].bookings_a_second for side in sides)
            say(
                f"  round {number}: {a:.0f} here, {b:.0f} there, a minute; "
                f"tpcb-like {yardstick[-1]:.0f}/s"
            )
        for number in range(1, size.rounds + 1):
            for side in sides if number % 2 else reversed(sides):
                load = side.book(size, name=f"at-rate-{number}", rate=side.rate)
                side.loads_at_rate.append(load)
            same = here.book(size, name=f"at-the-others-{number}", rate=there.rate)
            here.loads_at_the_others.append(same)
            a, b, c = (
                percentile(load.times["hold"], 0.99)
                for load in (here.loads_at_rate[-1], there.loads_at_rate[-1], same)
            )
            say(
                f"  at its rate {number}: p99 of a hold {a:.0f} ms here, {b:.0f} ms there; "
                f"{c:.0f} ms here at the rate of there"
            )
        return Report(
            scenario="booking-versus",
            seed=size.seed,
            database=here.stack.database_settings,
            tables=_tables(here, there, yardstick),
            figures={
                "against": against,
                "tpcb-like a second": ", ".join(f"{each:.0f}" for each in yardstick),
                "load average before": str(load_before),
            },
            findings=[*_wrong_answers(sides), *invariants(here.stack, history=None)],
        )


def _side(name: str, stack: Stack, size: Size) -> Side:
    fixture = make_fixture(
        stack, doctors=HTTP_DOCTORS, slots=SLOTS, patients=HTTP_PATIENTS, seed=size.seed
    )
    side = Side(name, stack, fixture)
    side.book(replace(size, seconds=WARM_UP_SECONDS), name="warm-up")
    stack.let_planner_look()  # discards plans made for empty tables
    return side


def _tables(here: Side, there: Side, yardstick: Sequence[float]) -> dict[str, Sequence[Row]]:
    tables: dict[str, Sequence[Row]] = {
        "Bookings, each a hold and a confirmation": [
            _row(here, yardstick),
            _row(there, yardstick),
        ],
        f"At {SHARE_OF_CAPACITY:.0%} of what each can do": [
            _row_at_rate(here.name, here.rate, here.loads_at_rate),
            _row_at_rate(there.name, there.rate, there.loads_at_rate),
        ],
        "Here, at the rate of there": [
            _row_at_rate(here.name, there.rate, here.loads_at_the_others),
        ],
        "Here as a share of there": shares(here, there),
    }
    for side in (here, there):
        tables[f"CPU milliseconds of a booking, {side.name}"] = cost(side.loads)
    return tables


def _row(side: Side, yardstick: Sequence[float]) -> Row:
    speeds = [60 * each.bookings_a_second for each in side.loads]
    around = zip(side.loads, pairwise(yardstick), strict=True)
    ratios = [load.bookings_a_second / statistics.mean(runs) for load, runs in around]
    row: dict[str, object] = {
        "revision": side.name,
        "a minute": round(statistics.median(speeds)),
        "range": f"{min(speeds):.0f} to {max(speeds):.0f}",
        "of tpcb-like": f"{statistics.median(ratios):.4f}",
        "range of it": f"{min(ratios):.4f} to {max(ratios):.4f}",
    }
    for act in ACTS:
        times = [took for load in side.loads for took in load.times[act]]
        row |= {f"{act} p{p}": f"{percentile(times, p / 100):.0f} ms" for p in (50, 99)}
    return row


def _row_at_rate(name: str, rate: float, loads: Sequence[Load]) -> Row:
    """Of each round's median and 99th percentile: the median, and the range."""
    row: dict[str, object] = {
        "revision": name,
        "asked a minute": round(60 * rate),
        "done": round(60 * statistics.median(load.bookings_a_second for load in loads)),
    }
    for act in ACTS:
        for share in (50, 99):
            found = [percentile(load.times[act], share / 100) for load in loads]
            row[f"{act} p{share} ms"] = (
                f"{statistics.median(found):.0f} ({min(found):.0f} to {max(found):.0f})"
            )
    return row


def shares(here: Side, there: Side) -> list[Row]:
    """Round by round, as they were measured."""
    parts = list(here.loads[0].cpu_seconds)
    docbook = [part for part in parts if part != CLIENTS]
    figures: dict[str, Callable[[Load], float]] = {
        "bookings": lambda load: load.bookings_a_second,
        "CPU, without clients": _cpu_of(docbook),
        **{f"CPU, {part}": _cpu_of([part]) for part in parts},
    }
    at_full_speed = list(zip(here.loads, there.loads, strict=True))
    at_rate = list(zip(here.loads_at_rate, there.loads_at_rate, strict=True))
    at_the_others = list(zip(here.loads_at_the_others, there.loads_at_rate, strict=True))
    return [
        *(_share(name, at_full_speed, figure) for name, figure in figures.items()),
        *(_share(f"{act} p99 at its rate", at_rate, _p99_of(act)) for act in ACTS),
        *(_share(f"{act} p99 at the rate of there", at_the_others, _p99_of(act)) for act in ACTS),
    ]


def _share(name: str, pairs: Sequence[tuple[Load, Load]], figure: Callable[[Load], float]) -> Row:
    shares = [figure(here) / figure(there) for here, there in pairs]
    return {
        "figure": name,
        "median": f"{statistics.median(shares):.2f}",
        "range": f"{min(shares):.2f} to {max(shares):.2f}",
    }


def _p99_of(act: str) -> Callable[[Load], float]:
    return lambda load: percentile(load.times[act], 0.99)


def _cpu_of(parts: Sequence[str]) -> Callable[[Load], float]:
    return lambda load: sum(load.cpu_seconds[part] for part in parts) / load.bookings


def _wrong_answers(sides: Sequence[Side]) -> list[Finding]:
    wrong = [
        f"{side.name}: {each}"
        for side in sides
        for load in (*side.loads, *side.loads_at_rate, *side.loads_at_the_others)
        for each in load.wrong
    ]
    promise = "requests that were not answered as they should be"
    return [Finding(promise, len(wrong), tuple(wrong[:5]))]
