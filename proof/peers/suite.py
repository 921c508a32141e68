"""Bookings, lists of free times and a crowd: DocBook and a peer, in turn.

Both are served by the same program with as many processes, and keep their rows on one durable
PostgreSQL, each in a database of its own. Nobody sends mails: on both sides they wait in a queue
in the database.
"""

import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from devstack.console import say
from devstack.interrupts import interrupts_noted
from proof.cpu import seconds_by_part, spent
from proof.figures import percentile
from proof.findings import Finding, invariants
from proof.peers import django_appointment
from proof.peers.flows import Done, Flow, at_once, in_turn
from proof.peers.installed import installed_in
from proof.peers.sides import LOOKED_AT, WANTED, DocBook, Side, Size, Visit, visits
from proof.report import Report, Row
from proof.stack import Stack, running_stack

PEERS: Mapping[str, Callable[..., Side]] = {"django-appointment": django_appointment.started}
WARM_UP_SECONDS = 3.0
ENGINES = ("postgres", "valkey")


@dataclass(frozen=True)
class Load:
    """What the clients did in one round, and what that cost in CPU milliseconds a piece."""

    done: Done
    cpu: Mapping[str, float]


@dataclass(frozen=True)
class Crowd:
    """How many were told that the time is theirs, and how many appointments there are."""

    told: int
    appointments: int


@dataclass
class Runs:
    """A scheduler and its rounds. `visits` are those that nobody has booked yet."""

    side: Side
    visits: Iterator[Visit]
    lists: list[Load] = field(default_factory=list)
    bookings: list[Load] = field(default_factory=list)
    crowds: list[Crowd] = field(default_factory=list)


def compare_with_peer(size: Size, *, peer: str) -> Report:
    """`peer` is a virtual environment with a peer. Raises Refusal if there is none."""
    installed = installed_in(peer)
    load_before = [round(each, 2) for each in os.getloadavg()]
    with interrupts_noted() as interrupts, running_stack(interrupts=interrupts) as stack:
        here = DocBook(stack, size)
        there = PEERS[installed.name](stack, size, installed=installed, starts=here.starts)
        both = [Runs(side, visits(size)) for side in (here, there)]
        for runs in both:
            _one_round(stack, runs, replace(size, seconds=WARM_UP_SECONDS), number=0)
        both = [Runs(runs.side, runs.visits) for runs in both]
        for number in range(1, size.rounds + 1):
            # Each goes first in every other round.
            for runs in both if number % 2 else reversed(both):
                _one_round(stack, runs, size, number=number)
            _say_round(number, both)
        return Report(
            scenario="peers",
            seed=size.seed,
            database=stack.database_settings,
            tables=tables(both, crowd=size.crowd),
            figures={
                "peer": ", ".join(f"{name} {v}" for name, v in installed.versions.items()),
                "load average before": str(load_before),
            },
            findings=[*promises(both), *invariants(stack, history=None)],
        )


def _one_round(stack: Stack, runs: Runs, size: Size, *, number: int) -> None:
    side = runs.side
    side.make_ready()
    looks = (
        side.look(Visit(index % size.doctors, LOOKED_AT, index % size.people)) for index in count()
    )
    runs.lists.append(_measured(stack, side, looks, size))
    books = (side.book(visit) for visit in runs.visits)
    runs.bookings.append(_measured(stack, side, books, size))
    # Other people and another doctor in each round.
    wanted = [
        Visit(number % size.doctors, WANTED, (number * size.crowd + index) % size.people)
        for index in range(size.crowd)
    ]
    told = len(at_once(side.url, [side.book(visit) for visit in wanted]).times)
    runs.crowds.append(Crowd(told, side.appointments(wanted[0])))


def _measured(stack: Stack, side: Side, flows: Iterator[Flow], size: Size) -> Load:
    before = seconds_by_part(stack)
    done = in_turn(side.url, flows, connections=size.connections, seconds=size.seconds)
    cpu = spent(before, seconds_by_part(stack))
    seconds = {"web": cpu[side.web], **{name: cpu[name] for name in ENGINES}}
    many = max(1, len(done.times))
    return Load(done, {part: 1000 * each / many for part, each in seconds.items()})


def _say_round(number: int, both: Sequence[Runs]) -> None:
    told = "; ".join(
        f"{runs.side.name}: {runs.lists[-1].done.a_second:.0f} lists and "
        f"{runs.bookings[-1].done.a_second:.0f} bookings a second, "
        f"{runs.crowds[-1].appointments} of the crowd"
        for runs in both
    )
    say(f"  round {number}: {told}")


def tables(both: Sequence[Runs], *, crowd: int) -> dict[str, Sequence[Row]]:
    here, there = both
    return {
        "Bookings, from the list of free times to the appointment": [
            _row(runs.side, runs.bookings) for runs in both
        ],
        "The free times of a doctor's day": [_row(runs.side, runs.lists) for runs in both],
        f"{crowd} clients at once want one time": [_row_of_crowds(runs) for runs in both],
        f"{here.side.name} as a multiple of {there.side.name}": [
            _ratio("bookings a second", here.bookings, there.bookings, _speed),
            _ratio("CPU of a booking", here.bookings, there.bookings, _cost),
            _ratio("lists a second", here.lists, there.lists, _speed),
            _ratio("CPU of a list", here.lists, there.lists, _cost),
        ],
    }


def _row(side: Side, loads: Sequence[Load]) -> Row:
    speeds, costs = [_speed(load) for load in loads], [_cost(load) for load in loads]
    times = [took for load in loads for took in load.done.times]
    return {
        "scheduler": side.name,
        "a second": f"{statistics.median(speeds):.1f}",
        "range": f"{min(speeds):.1f} to {max(speeds):.1f}",
        **{f"p{p}": f"{percentile(times, p / 100):.0f} ms" for p in (50, 99)},
        "CPU ms": f"{statistics.median(costs):.2f}",
        "range of it": f"{min(costs):.2f} to {max(costs):.2f}",
        **{
            part: f"{statistics.median(load.cpu[part] for load in loads):.2f}"
            for part in loads[0].cpu
        },
    }


def _row_of_crowds(runs: Runs) -> Row:
    return {
        "scheduler": runs.side.name,
        "appointments": ", ".join(str(each.appointments) for each in runs.crowds),
        "told it is theirs": ", ".join(str(each.told) for each in runs.crowds),
    }


def _ratio(
    name: str, here: Sequence[Load], there: Sequence[Load], figure: Callable[[Load], float]
) -> Row:
    """Round by round, as they were measured."""
    ratios = [figure(a) / figure(b) for a, b in zip(here, there, strict=True)]
    return {
        "figure": name,
        "median": f"{statistics.median(ratios):.2f}",
        "range": f"{min(ratios):.2f} to {max(ratios):.2f}",
    }


def _speed(load: Load) -> float:
    return load.done.a_second


def _cost(load: Load) -> float:
    return sum(load.cpu.values())


def promises(both: Sequence[Runs]) -> list[Finding]:
    """DocBook's own, and that nothing went wrong while either was measured."""
    here, *_others = both
    wrong = [
        f"{runs.side.name}: {each}"
        for runs in both
        for load in (*runs.lists, *runs.bookings)
        for each in load.done.wrong
    ]
    crowded = sum(abs(each.appointments - 1) for each in here.crowds)
    return [
        Finding("requests that were not answered as they should be", len(wrong), tuple(wrong[:5])),
        Finding("appointments too many or too few at the time that a crowd wanted", crowded),
    ]
