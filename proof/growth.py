"""`make bench SUITE=growth`: what everyday work costs after few and after many past visits.

Two databases on engines of their own, with the same doctors, patients and free times: one with ten
thousand past visits, one with ten million, over the same five years. Both are asked the same, in
turn, one request after the other: so the mood of the machine meets both, and nobody waits.

Database time is planning and execution of all statements, as pg_stat_statements adds them up. CPU
is that of the web processes and PostgreSQL.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import median

import psycopg

from devstack.console import say
from devstack.interrupts import interrupts_noted
from devstack.refusals import Refusal
from proof.booker import Desk, Task, WrongAnswer, plan_of
from proof.client import Client, headers_of
from proof.cpu import seconds_by_part, spent
from proof.findings import Finding, invariants
from proof.fixtures import Fixture, make_fixture, renewed
from proof.past import deliver_messages, write_past
from proof.plan import API, DAYS_AHEAD, Patient
from proof.report import Report, Row
from proof.stack import Stack, running_stack

MOST = 1.2
FLAT = ("hold", "confirm", "day", "month", "look at invariants")
# A patient who books is none of the doctors whose days are read.
BOOKING, READING = 1500, 100
SLOTS = 96
SEARCHES = 10
DISK_BYTES_OF_A_VISIT, DISK_BYTES_OF_ALL = 3000, 12 * 10**9


@dataclass(frozen=True)
class Past:
    few: int
    many: int
    doctors: int
    patients: int


PASTS: Mapping[str, Past] = {
    "full": Past(few=10_000, many=10_000_000, doctors=10_000, patients=200_000),
    "medium": Past(few=10_000, many=1_000_000, doctors=10_000, patients=200_000),
    "small": Past(few=1_000, many=100_000, doctors=200, patients=4_000),
}


@dataclass(frozen=True)
class Size:
    """`size` is one of PASTS; `requests` of each kind in a round, and a tenth of them searches."""

    size: str = "full"
    rounds: int = 5
    requests: int = 100
    seed: int = 1


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one act."""

    database: float
    cpu: float


@dataclass(frozen=True)
class Work:
    """What was done, and the CPU seconds of processes that are no part of the stack."""

    number: int
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Day:
    """Of a doctor, with at least one visit."""

    doctor: int
    slug: str
    date: str


@dataclass
class Side:
    """One of the databases, and what its acts cost in each round. `taken` times are booked."""

    visits: int
    stack: Stack
    fixture: Fixture
    days: Sequence[Day]
    taken: int = 0
    wrong: list[str] = field(default_factory=list)
    costs: dict[str, list[Cost]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.visits:,} visits"

    @property
    def readers(self) -> Sequence[Patient]:
        return self.fixture.patients[BOOKING:]


def growth(size: Size) -> Report:
    """Raises Refusal if the disk is too small."""
    if size.size not in PASTS:
        raise Refusal(f"--size must be one of {', '.join(PASTS)}.")
    past, load_before = PASTS[size.size], [round(each, 2) for each in os.getloadavg()]
    with interrupts_noted() as interrupts, ExitStack() as running:
        stacks = [
            running.enter_context(
                running_stack(
                    interrupts=interrupts, database={"pg_stat_statements.track_planning": "on"}
                )
            )
            for _ in range(2)
        ]
        few, many = sides = [
            make_side(stack, past, visits=visits, seed=size.seed)
            for stack, visits in zip(stacks, (past.few, past.many), strict=True)
        ]
        for number in range(size.rounds + 1):
            # Each goes first in every other round. The first round only warms up.
            for side in sides if number % 2 else reversed(sides):
                costs = one_round(side, size)
                if number:
                    for act, cost in costs.items():
                        side.costs.setdefault(act, []).append(cost)
            if number:
                shares = ", ".join(f"{act} {_last_share(few, many, act):.2f}" for act in few.costs)
                say(f"  round {number}: {shares}")
        return Report(
            scenario="growth",
            seed=size.seed,
            database=few.stack.database_settings,
            tables={
                f"Milliseconds of database time, of one act after {few.name} and {many.name}": [
                    _row(few, many, act, lambda cost: cost.database) for act in few.costs
                ],
                "Milliseconds of CPU": [
                    _row(few, many, act, lambda cost: cost.cpu) for act in few.costs
                ],
            },
            figures={
                **{f"database of {side.name}": _size_of_database(side.stack) for side in sides},
                "doctors": past.doctors,
                "patients": past.patients,
                "load average before": str(load_before),
            },
            findings=[
                *(growth_of(few, many, act) for act in FLAT),
                _wrong(sides),
                *invariants(few.stack, history=None),
            ],
        )


def make_side(stack: Stack, past: Past, *, visits: int, seed: int) -> Side:
    _require_disk(stack, visits)
    counts = {"doctors": past.doctors, "slots": SLOTS, "patients": past.patients}
    fixture = make_fixture(stack, **counts, seed=seed, signed_in=BOOKING + READING)
    say(f"  {visits:,} past visits:")
    write_past(stack, visits=visits, doctors=past.doctors, patients=past.patients)
    stack.run("-m", "proof.past_upkeep", "seal")
    stack.run("-m", "proof.past_upkeep", "remember")
    return Side(visits, stack, fixture, _days_to_read(stack, fixture))


def _require_disk(stack: Stack, visits: int) -> None:
    needed = DISK_BYTES_OF_ALL + visits * DISK_BYTES_OF_A_VISIT
    free = shutil.disk_usage(stack.workshop.folder).free
    if visits >= PASTS["full"].many and free < needed:
        raise Refusal(
            f"{visits:,} visits need {needed / 10**9:.0f} GB of disk, {free / 10**9:.0f} are free."
        )


def _days_to_read(stack: Stack, fixture: Fixture) -> list[Day]:
    """One for each of some doctors. The patients who do not book are these doctors."""
    doctors = [each.doctor for each in fixture.calendars[:READING]]
    with psycopg.connect(stack.database_url) as connection:
        for doctor, reader in zip(doctors, fixture.patients[BOOKING:], strict=True):
            connection.execute(
                "UPDATE doctors_doctor SET user_id = %s WHERE id = %s", [reader.id, doctor]
            )
    days = """
        SELECT doctor.id, slug, max(starts_at)::date::text
        FROM doctors_doctor AS doctor JOIN bookings_appointment ON doctor_id = doctor.id
        WHERE doctor_id = ANY(%s) GROUP BY doctor.id ORDER BY doctor.id
    """
    return [Day(*row) for row in stack.rows(days, doctors)]


def one_round(side: Side, size: Size) -> dict[str, Cost]:
    """The costs by act."""
    side.fixture = renewed(side.stack, side.fixture)
    desk, held = Desk(plan_of(side.fixture, **_plan(side))), []

    def hold() -> Work:
        for task in _tasks(side, size.requests):
            desk.hold(task)
            if attempt := _attempt(side, desk):
                held.append((task, attempt))
        return Work(size.requests)

    def confirm() -> Work:
        for desk.task, attempt in held:
            desk.confirm(attempt)
            _attempt(side, desk)
        return Work(len(held))

    acts: dict[str, Callable[[], Work]] = {
        "hold": hold,
        "confirm": confirm,
        "look at invariants": lambda: _look(side),
        "day": lambda: _read(side, _days(side), size.requests),
        "month": lambda: _read(side, _months(side), size.requests),
        "search": lambda: _read(side, _searches(), max(1, size.requests // SEARCHES)),
        "patient's list": lambda: _read(side, _lists(side), size.requests),
    }
    costs = {}
    for act, do in acts.items():
        costs[act] = _measured(side.stack, do)
        if act == "confirm":
            deliver_messages(side.stack.database_url)
    desk.client.close()
    return costs


def _measured(stack: Stack, do: Callable[[], Work]) -> Cost:
    time_before, before = _database_ms(stack), seconds_by_part(stack)
    work = do()
    cpu = spent(before, seconds_by_part(stack))
    number = max(1, work.number)
    seconds = cpu["web"] + cpu["postgres"] + work.cpu_seconds
    return Cost((_database_ms(stack) - time_before) / number, 1000 * seconds / number)


def _database_ms(stack: Stack) -> float:
    sql = """
        SELECT coalesce(sum(total_plan_time + total_exec_time), 0) FROM pg_stat_statements
        WHERE query !~ 'pg_stat_statements'
    """
    ((milliseconds,),) = stack.rows(sql)
    return float(milliseconds)


def _plan(side: Side) -> dict[str, object]:
    return {
        "url": side.stack.url,
        "otp_key": side.stack.otp_key,
        "seconds": 0.0,
        "processes": 1,
        "connections": 1,
        "skip": side.taken,
        "begin_at": 0.0,
    }


def _tasks(side: Side, number: int) -> list[Task]:
    booking = Fixture(
        side.fixture.seed, side.fixture.calendars[READING:], side.fixture.patients[:BOOKING]
    )
    tasks = list(islice(plan_of(booking, **_plan(side)).tasks(0), number))
    if len(tasks) < number:
        raise Refusal("Every time is booked: ask for fewer rounds or requests.")
    side.taken += number
    return tasks


def _attempt(side: Side, desk: Desk) -> str:
    """The attempt of a right answer; of a wrong one, nothing."""
    answer = desk.client.receive()
    try:
        desk.check(answer)
    except WrongAnswer as wrong:
        side.wrong.append(f"{desk.act}: {wrong}")
        return ""
    return str(answer.data.get("attemptId", ""))


def _look(side: Side) -> Work:
    """At what the round has booked. A look that has no patience left is a wrong answer, too."""
    words = side.stack.run("-m", "proof.past_upkeep", "look", may_fail=True)
    if not words:
        side.wrong.append("look at invariants: it took too long")
        return Work(1)
    found = json.loads(words)
    side.wrong += [f"look at invariants: {code} is broken" for code in found["broken"]]
    return Work(1, found["cpu_seconds"])


def _read(side: Side, requests: Iterator[tuple[str, str]], number: int) -> Work:
    """Paths, and the lines that say who asks."""
    client = Client(side.stack.url)
    for path, headers in islice(requests, number):
        answer = client.call("GET", path, headers=headers)
        if answer.status != 200:
            side.wrong.append(f"{path}: {answer.status}")
    client.close()
    return Work(number)


def _days(side: Side) -> Iterator[tuple[str, str]]:
    """A past day with a visit, read by its doctor."""
    while True:
        for reader, day in zip(side.readers, side.days, strict=True):
            path = f"{API}/doctors/{day.doctor}/appointments?date={day.date}"
            yield path, headers_of(token=reader.token, address=reader.address)


def _months(side: Side) -> Iterator[tuple[str, str]]:
    """The page of a doctor with the month of the first free times."""
    month = (datetime.now(UTC) + timedelta(days=DAYS_AHEAD)).strftime("%Y-%m")
    while True:
        for reader, day in zip(side.readers, side.days, strict=True):
            yield f"/doctors/{day.slug}/?month={month}", f"X-Forwarded-For: {reader.address}\r\n"


def _searches() -> Iterator[tuple[str, str]]:
    """The doctors with the earliest free times, of all."""
    page = 0
    while True:
        page += 1
        yield f"{API}/doctors?order=next_free&page={page}", ""


def _lists(side: Side) -> Iterator[tuple[str, str]]:
    while True:
        for patient in side.fixture.patients[:BOOKING]:
            yield f"{API}/bookings", headers_of(token=patient.token, address=patient.address)


def _last_share(few: Side, many: Side, act: str) -> float:
    return many.costs[act][-1].database / few.costs[act][-1].database


def _shares(few: Side, many: Side, act: str, figure: Callable[[Cost], float]) -> list[float]:
    """Round by round, as they were measured."""
    pairs = zip(few.costs[act], many.costs[act], strict=True)
    return [figure(after_many) / figure(after_few) for after_few, after_many in pairs]


def _row(few: Side, many: Side, act: str, figure: Callable[[Cost], float]) -> Row:
    shares = _shares(few, many, act, figure)
    return {
        "act": act,
        "few": f"{median(map(figure, few.costs[act])):.2f}",
        "many": f"{median(map(figure, many.costs[act])):.2f}",
        "ratio": f"{median(shares):.2f}",
        "range": f"{min(shares):.2f} to {max(shares):.2f}",
    }


def growth_of(few: Side, many: Side, act: str) -> Finding:
    share = median(_shares(few, many, act, lambda cost: cost.database))
    promise = f"{act}: more than {MOST} of the database time after {few.name}"
    return Finding(promise, int(share > MOST), (f"{share:.2f}",) if share > MOST else ())


def _wrong(sides: Sequence[Side]) -> Finding:
    wrong = [f"{side.name}: {each}" for side in sides for each in side.wrong]
    return Finding(
        "requests that were not answered as they should be", len(wrong), tuple(wrong[:5])
    )


def _size_of_database(stack: Stack) -> str:
    ((size,),) = stack.rows("SELECT pg_size_pretty(pg_database_size(current_database()))")
    return str(size)
