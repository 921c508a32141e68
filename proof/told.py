"""`make bench SUITE=told`: what a booking costs until both of its mails have arrived, and how many
a minute can be told for as long as anybody likes.

Everything runs: web, worker, relay, beat and a mail server that keeps what it gets. A steady number
of people book. Each waits for the mail with the code before they confirm, and for the confirmation
before they book again; so nothing piles up, and the bookings of a minute are those that the whole
of it can sustain.
"""

import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from devstack.console import say
from devstack.interrupts import Interrupts, interrupts_noted
from devstack.layout import ROOT
from devstack.mailsink import Arrival, arrivals_file, read_arrivals
from devstack.processes import Program, stop
from proof.booker import plan_of
from proof.booking_load import words_of
from proof.cpu import seconds_by_part, seconds_of, spent
from proof.figures import percentile
from proof.findings import Finding, invariants
from proof.fixtures import Fixture, make_fixture, renewed
from proof.report import Report, Row
from proof.revisions import code_of
from proof.scenarios import wait_until_drained
from proof.stack import Stack, running_stack

DOCTORS, SLOTS, PATIENTS = 500, 120, 6000
WARM_UP_SECONDS = 5
# Somebody sits in front of the page for this long at most.
LONGEST_WAIT_FOR_A_CODE = 5.0
SINK = "mail server"
# Beginnings of Message-IDs, and the topics that such mails are about.
KINDS = {"code": "otp.requested", "confirmed": "appointment.confirmed"}


@dataclass(frozen=True)
class Size:
    rounds: int = 3
    seconds: int = 20
    processes: int = 2
    connections: int = 50
    seed: int = 1


@dataclass(frozen=True)
class Round:
    """What one load did. Times in seconds; `waits` from the publication of a mail to its arrival,
    by the beginning of its Message-ID.
    """

    bookings: int
    seconds: float
    taken: int
    wrong: list[str]
    left: int
    cpu_seconds: dict[str, float]
    waits: dict[str, list[float]]
    twice: int

    @property
    def a_minute(self) -> float:
        return 60 * self.bookings / self.seconds

    def cpu_of(self, part: str) -> float:
        """Milliseconds of a booking."""
        return 1000 * self.cpu_seconds[part] / self.bookings

    @property
    def cpu(self) -> float:
        """All of DocBook and its engines, without the mail server."""
        return sum(self.cpu_of(part) for part in self.cpu_seconds if part != SINK)


@dataclass
class Side:
    """One of the revisions, and its rounds. `taken` tasks are used up."""

    name: str
    stack: Stack
    fixture: Fixture
    taken: int = 0
    rounds: list[Round] = field(default_factory=list)

    def load(self, size: Size, *, name: str) -> Round:
        done = _load(
            self.stack, renewed(self.stack, self.fixture), size, skip=self.taken, name=name
        )
        self.taken += done.taken
        return done


def told(size: Size, *, against: str) -> Report:
    """`against` is a revision for git, or empty. Raises Refusal if there is none."""
    load_before = [round(each, 2) for each in os.getloadavg()]
    with interrupts_noted() as interrupts, _sides(size, against, interrupts) as sides:
        for number in range(1, size.rounds + 1):
            # Each goes first in every other round.
            for side in sides if number % 2 else reversed(sides):
                side.rounds.append(side.load(size, name=f"round-{number}"))
                done = side.rounds[-1]
                told_now = f"{done.a_minute:.0f} a minute, {done.cpu:.1f} ms each"
                say(f"  round {number}, {side.name}: {told_now}")
        here = sides[0]
        return Report(
            scenario="told-versus" if against else "told",
            seed=size.seed,
            database=here.stack.database_settings,
            tables=_tables(sides),
            figures={"load average before": str(load_before)},
            findings=[*_findings(here), *invariants(here.stack, history=None)],
        )


@contextmanager
def _sides(size: Size, against: str, interrupts: Interrupts) -> Iterator[list[Side]]:
    with ExitStack() as running:
        codes = {"here": ROOT}
        if against:
            codes[against] = running.enter_context(code_of(against))
        stacks = {
            name: running.enter_context(
                running_stack(background=True, interrupts=interrupts, code=code)
            )
            for name, code in codes.items()
        }
        yield [_side(name, stack, size) for name, stack in stacks.items()]


def _side(name: str, stack: Stack, size: Size) -> Side:
    fixture = make_fixture(stack, doctors=DOCTORS, slots=SLOTS, patients=PATIENTS, seed=size.seed)
    side = Side(name, stack, fixture)
    side.load(replace(size, seconds=WARM_UP_SECONDS), name="warm-up")
    stack.let_planner_look()  # discards plans made for empty tables
    return side


def _load(stack: Stack, fixture: Fixture, size: Size, *, skip: int, name: str) -> Round:
    folder = stack.workshop.folder / name
    folder.mkdir()
    begin_at = time.time() + 2.0  # enough to read the plan
    plan = plan_of(
        fixture,
        url=stack.url,
        otp_key=stack.otp_key,
        seconds=size.seconds,
        processes=size.processes,
        connections=size.connections,
        skip=skip,
        begin_at=begin_at,
    )
    path = folder / "plan.json"
    plan.write(path)
    command = [sys.executable, "-m", "proof.patient_booker", str(path), str(stack.maildir)]
    clients = [
        stack.workshop.start(Program(name=f"{name}-{number}", command=[*command, str(number)]))
        for number in range(size.processes)
    ]
    before = _cpu(stack)
    try:
        found = [words_of(client, stack, timeout=size.seconds + 120.0) for client in clients]
    finally:
        stop(clients)
    left = wait_until_drained(stack)
    seconds = time.time() - begin_at
    came = [each for each in _arrivals(stack) if each.at >= begin_at]
    return Round(
        bookings=sum(each["booked"] for each in found),
        seconds=seconds,
        # Clients work at their own pace. This is the number of tasks that any of them has passed.
        taken=max(each["taken"] for each in found) * len(found),
        wrong=[wrong for each in found for wrong in each["wrong"]],
        left=left,
        cpu_seconds=spent(before, _cpu(stack)),
        waits=_waits(stack, came),
        twice=sum(number - 1 for number in Counter(each.message_id for each in came).values()),
    )


def _cpu(stack: Stack) -> dict[str, float]:
    return {**seconds_by_part(stack), SINK: seconds_of(stack.sink_process)}


def _arrivals(stack: Stack) -> list[Arrival]:
    with arrivals_file(stack.maildir).open() as lines:
        return read_arrivals(lines)


def _waits(stack: Stack, came: Sequence[Arrival]) -> dict[str, list[float]]:
    published = {
        (topic, about): at
        for topic, about, at in stack.rows(
            "SELECT topic, aggregate_id, extract(epoch FROM created_at)::float8"
            " FROM outbox_outboxmessage WHERE topic = ANY(%s)",
            list(KINDS.values()),
        )
    }
    waits: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for each in came:
        kind, _, rest = each.message_id.strip("<>").partition("-")
        about = rest.rpartition("-")[0]
        if kind in KINDS:
            waits[kind].append(each.at - published[KINDS[kind], about])
    return waits


def _tables(sides: Sequence[Side]) -> dict[str, Sequence[Row]]:
    tables: dict[str, Sequence[Row]] = {
        "Bookings with both mails delivered": [_row(side) for side in sides],
        "CPU milliseconds of a booking until all of it is told": _costs(sides),
        "Seconds from the publication of a mail to its arrival": [
            row for side in sides for row in _times(side)
        ],
    }
    if sides[1:]:
        tables["Here as a share of there"] = _shares(*sides)
    return tables


def _row(side: Side) -> Row:
    speeds = [each.a_minute for each in side.rounds]
    return {
        "revision": side.name,
        "a minute": round(statistics.median(speeds)),
        "range": f"{min(speeds):.0f} to {max(speeds):.0f}",
        "bookings": sum(each.bookings for each in side.rounds),
        "mails that came twice": sum(each.twice for each in side.rounds),
    }


def _costs(sides: Sequence[Side]) -> list[Row]:
    first = sides[0].rounds[0]
    parts = sorted(first.cpu_seconds, key=lambda part: -first.cpu_of(part))
    rows = [_cost_row(part, sides, partial(Round.cpu_of, part=part)) for part in parts]
    return [*rows, _cost_row("all but the mail server", sides, lambda each: each.cpu)]


def _cost_row(name: str, sides: Sequence[Side], cost: Callable[[Round], float]) -> Row:
    row: dict[str, object] = {"processes": name}
    for side in sides:
        costs = [cost(each) for each in side.rounds]
        row[side.name] = f"{statistics.median(costs):.2f}"
        row[f"range {side.name}"] = f"{min(costs):.2f} to {max(costs):.2f}"
    return row


def _times(side: Side) -> Iterator[Row]:
    for kind in KINDS:
        waits = [wait for each in side.rounds for wait in each.waits[kind]]
        yield {
            "revision": side.name,
            "mail": kind,
            "mails": len(waits),
            **{f"p{share}": f"{percentile(waits, share / 100):.2f}" for share in (50, 95, 99)},
        }


def _shares(here: Side, there: Side) -> list[Row]:
    """Round by round, as they were measured."""
    figures: Mapping[str, Callable[[Round], float]] = {
        "bookings told": lambda each: each.a_minute,
        "CPU of a booking": lambda each: each.cpu,
    }
    rows: list[Row] = []
    for name, figure in figures.items():
        pairs = zip(here.rounds, there.rounds, strict=True)
        shares = [figure(a) / figure(b) for a, b in pairs]
        rows.append(
            {
                "figure": name,
                "median": f"{statistics.median(shares):.2f}",
                "range": f"{min(shares):.2f} to {max(shares):.2f}",
            }
        )
    return rows


def _findings(side: Side) -> list[Finding]:
    wrong = [each for done in side.rounds for each in done.wrong]
    codes = [wait for each in side.rounds for wait in each.waits["code"]]
    late = percentile(codes, 0.95) > LONGEST_WAIT_FOR_A_CODE
    return [
        Finding(
            "requests and mails that did not come as they should", len(wrong), tuple(wrong[:5])
        ),
        Finding("messages left two minutes after a load", sum(each.left for each in side.rounds)),
        Finding("mails that came twice", sum(each.twice for each in side.rounds)),
        Finding(f"a p95 of codes above {LONGEST_WAIT_FOR_A_CODE:.0f} s", int(late)),
    ]
