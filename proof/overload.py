"""Three times as many bookings as can be made: the rest must be refused at once, and cheaply.

One client process measures what can be done, then offers half of that, three times that, half
again, and measures again. It shares the machine with DocBook, so the report says what it takes.
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException

from devstack.ports import LOOPBACK
from devstack.processes import Process, Program, stop
from proof.booking_load import CLIENTS, HTTP_DOCTORS, HTTP_PATIENTS, SLOTS, words_of
from proof.cpu import seconds_by_part, spent
from proof.figures import percentile
from proof.findings import Finding, invariants
from proof.fixtures import Fixture, make_fixture, renewed
from proof.history import clock
from proof.profiler import workers
from proof.report import Report, Row
from proof.rush import BOOKED, HELD, NO_ANSWER, REFUSED, SECOND, Heard, RushPlan, Stage
from proof.stack import Stack

WARM_UP_SECONDS = 3.0
CLOSED_LOOP, MANY = 64, 600
OFFERED = 3.0  # times capacity
MILLISECOND = 10**6

# The promises.
LEAST_GOODPUT = 0.8  # of capacity
MOST_MILLISECONDS = 1000.0
NORMAL_WITHIN = 5.0
MOST_GROWTH = 0.2
# Of the worst second before the overload; a second as slow as that is normal again. On a machine
# that others use too, single seconds differ by as much.
AS_BEFORE = 2.0
HEALTH_TIMEOUT = 10.0


@dataclass(frozen=True)
class Look:
    """At one moment: the health check, the memory of the web processes, and all CPU time so far."""

    at: int
    status: int
    milliseconds: float
    resident: int
    cpu_seconds: dict[str, float]


@dataclass(frozen=True)
class Period:
    """What the clients did in a stage. `asked` bookings a second; `missed` found no connection."""

    name: str
    begun: int
    ended: int
    asked: float
    missed: int
    cpu_seconds: float
    heard: Sequence[Heard]
    booked: int

    @property
    def seconds(self) -> float:
        return (self.ended - self.begun) / SECOND

    @property
    def goodput(self) -> float:
        """Confirmed bookings a second."""
        return self.booked / self.seconds

    @cached_property
    def admitted(self) -> list[float]:
        """Their milliseconds, from the moment when they were due."""
        return [_took(each) for each in self.heard if each.status in (HELD, BOOKED)]

    @cached_property
    def refused(self) -> list[float]:
        return [_took(each) for each in self.heard if each.status in REFUSED]


@dataclass(frozen=True)
class Rushed:
    """The whole load: before, at capacity, in overload, and after."""

    periods: Sequence[Period]
    booked: Sequence[str]
    looks: Sequence[Look]

    def __getitem__(self, name: str) -> Period:
        return next(each for each in self.periods if each.name == name)

    @property
    def capacity(self) -> float:
        """The mean of both measurements: the mood of a shared machine changes in a minute."""
        return statistics.mean(self[name].goodput for name in ("capacity", "capacity after"))

    def looks_in(self, period: Period) -> list[Look]:
        return [each for each in self.looks if period.begun <= each.at < period.ended]


def overload(stack: Stack, *, seconds: float, seed: int) -> Report:
    """Without mails: no worker takes the machine from the web processes for a while."""
    fixture = make_fixture(
        stack, doctors=HTTP_DOCTORS, slots=SLOTS, patients=HTTP_PATIENTS, seed=seed
    )
    warm_up = Stage("warm-up", WARM_UP_SECONDS, CLOSED_LOOP)
    _first, taken = _rush(stack, fixture, [warm_up], skip=0)
    stack.let_planner_look()
    rushed, _taken = _rush(stack, renewed(stack, fixture), stages_of(seconds), skip=taken)
    return Report(
        scenario="overload",
        seed=seed,
        database=stack.database_settings,
        tables={
            "Bookings": [_bookings(rushed, each) for each in rushed.periods],
            "Requests": [_requests(each) for each in rushed.periods],
            "Cores in use": [_cores(rushed, each) for each in rushed.periods],
        },
        figures=_figures(rushed),
        findings=[*promises(rushed), lost(stack, rushed), *invariants(stack, history=None)],
    )


def stages_of(seconds: float) -> list[Stage]:
    """`seconds` of overload. What surrounds it is shorter, yet enough for a 99th percentile."""
    short = max(2.0, min(10.0, seconds / 4))
    return [
        Stage("capacity", short, CLOSED_LOOP),
        Stage("half before", short, MANY, share=0.5),
        Stage("overload", seconds, MANY, share=OFFERED),
        Stage("half after", short + NORMAL_WITHIN, MANY, share=0.5),
        Stage("capacity after", short, CLOSED_LOOP),
    ]


def promises(rushed: Rushed) -> list[Finding]:
    over, strange = rushed["overload"], _strange(rushed)
    share, slowest = over.goodput / rushed.capacity, percentile(over.admitted, 0.99)
    normal, growth = normal_after(rushed), growth_of(rushed)
    sick = [
        f"{each.status or 'no answer'} after {each.milliseconds:.0f} ms"
        for each in rushed.looks
        if each.status != 200
    ]
    return [
        _broken("less than 80 % of capacity booked", share < LEAST_GOODPUT, f"{share:.0%}"),
        _broken(
            "p99 of what was admitted not below a second",
            slowest >= MOST_MILLISECONDS,
            f"{slowest:.0f} ms",
        ),
        _broken("not as before within 5 s", normal > NORMAL_WITHIN, f"{normal:.0f} s"),
        _broken("memory grown by 20 % or more", growth >= MOST_GROWTH, f"{growth:.0%}"),
        Finding("answers that are neither 201, 200, 503 nor 429", len(strange), strange[:5]),
        Finding("health checks that did not say 200", len(sick), tuple(sick[:5])),
    ]


def _broken(promise: str, is_broken: bool, found: str) -> Finding:
    return Finding(promise, int(is_broken), (found,) if is_broken else ())


def _strange(rushed: Rushed) -> tuple[str, ...]:
    fine = {("hold", HELD), ("confirm", BOOKED)}
    return tuple(
        f"{each.act}: {each.status or 'no answer'}"
        for period in rushed.periods
        for each in period.heard
        if (each.act, each.status) not in fine and each.status not in REFUSED
    )


def normal_after(rushed: Rushed) -> float:
    """Seconds after the overload until a second without a refusal, as fast as those before. As long
    as the whole stage if there is none.
    """
    before, after = rushed["half before"], rushed["half after"]
    worst = max(percentile(map(_took, each), 0.99) for each in by_second(before))
    for number, heard in enumerate(by_second(after)):
        is_calm = all(each.status in (HELD, BOOKED) for each in heard)
        if heard and is_calm and percentile(map(_took, heard), 0.99) <= AS_BEFORE * worst:
            return float(number)
    return after.seconds


def by_second(period: Period) -> list[list[Heard]]:
    """The requests that were due in each second."""
    seconds: list[list[Heard]] = [[] for _ in range(round(period.seconds))]
    for each in period.heard:
        number = (each.due - period.begun) // SECOND
        if number < len(seconds):
            seconds[number].append(each)
    return seconds


def growth_of(rushed: Rushed) -> float:
    """Of the memory, at its largest in the overload, above what it was before."""
    before = max(each.resident for each in rushed.looks_in(rushed["half before"]))
    return max(each.resident for each in rushed.looks_in(rushed["overload"])) / before - 1


def lost(stack: Stack, rushed: Rushed) -> Finding:
    rows = stack.rows("SELECT id::text FROM bookings_appointment WHERE status = 'confirmed'")
    missing = set(rushed.booked) - {pk for (pk,) in rows}
    return Finding("acknowledged bookings that are not there", len(missing), tuple(missing)[:5])


# -- the load


def _rush(
    stack: Stack, fixture: Fixture, stages: Sequence[Stage], *, skip: int
) -> tuple[Rushed, int]:
    """And how many tasks were used, those before included."""
    name = stages[0].name
    path = stack.workshop.folder / f"{name}.json"
    RushPlan(
        url=stack.url,
        otp_key=stack.otp_key,
        seconds=sum(stage.seconds for stage in stages),
        processes=1,
        connections=max(stage.connections for stage in stages),
        skip=skip,
        begin_at=time.time(),
        calendars=fixture.calendars,
        patients=fixture.patients,
        stages=stages,
    ).write(path)
    command = [sys.executable, "-m", "proof.rush", str(path)]
    client = stack.workshop.start(Program(name=name, command=command))
    try:
        looks = _watch(stack, client)
        found = words_of(client, stack, timeout=1.0)
    finally:
        stop([client])
    heard = [Heard(*each) for each in found["heard"]]
    periods = [
        Period(**each, heard=[one for one in heard if one.stage == number])
        for number, each in enumerate(found["stages"])
    ]
    return Rushed(periods, found["booked"], looks), skip + found["taken"]


def _watch(stack: Stack, client: Process) -> list[Look]:
    looks = []
    while not stack.let_pass(1.0, until=client.has_ended):
        looks.append(_look(stack))
    return looks


def _look(stack: Stack) -> Look:
    begun = clock()
    status = _health(stack.port)
    took = (clock() - begun) / MILLISECOND
    resident = sum(each.memory_info().rss for each in workers(stack))
    return Look(begun, status, took, resident, seconds_by_part(stack))


def _health(port: int) -> int:
    """On a connection of its own, as a balancer asks. Zero without an answer."""
    connection = HTTPConnection(LOOPBACK, port, timeout=HEALTH_TIMEOUT)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except (OSError, HTTPException):
        return NO_ANSWER
    finally:
        connection.close()


# -- what is shown


def _took(heard: Heard) -> float:
    """Milliseconds from the moment when it was due."""
    return (heard.at - heard.due) / MILLISECOND


def _bookings(rushed: Rushed, period: Period) -> Row:
    return {
        "stage": period.name,
        "seconds": round(period.seconds),
        "asked a second": round(period.asked) or "as many as go",
        "no connection": period.missed,
        "booked a second": round(period.goodput),
        "of capacity": f"{period.goodput / rushed.capacity:.0%}",
    }


def _requests(period: Period) -> Row:
    late = [(each.sent - each.due) / MILLISECOND for each in period.heard]
    times = {"admitted": period.admitted, "refused": period.refused}
    row: dict[str, object] = {"stage": period.name}
    for name, found in times.items():
        row[name] = len(found)
        row |= {f"{name} p{p} ms": f"{percentile(found, p / 100):.1f}" for p in (50, 99)}
    by_act = Counter(each.act for each in period.heard if each.status in REFUSED)
    return row | {
        "refused confirmations": by_act["confirm"],
        "sent late p99 ms": f"{percentile(late, 0.99):.1f}",
    }


def _cores(rushed: Rushed, period: Period) -> Row:
    """Of one each, on average. The clients' own are exact; the rest is between the first and the
    last look.
    """
    looks = rushed.looks_in(period)
    row: dict[str, object] = {
        "stage": period.name,
        CLIENTS: f"{period.cpu_seconds / period.seconds:.2f}",
    }
    if len(looks) > 1:
        passed = (looks[-1].at - looks[0].at) / SECOND
        used = spent(looks[0].cpu_seconds, looks[-1].cpu_seconds)
        row |= {part: f"{seconds / passed:.2f}" for part, seconds in used.items()}
    return row


def _figures(rushed: Rushed) -> dict[str, object]:
    over = rushed["overload"]
    health = [each.milliseconds for each in rushed.looks_in(over)]
    resident = {
        name: max(each.resident for each in rushed.looks_in(rushed[name])) >> 20
        for name in ("half before", "overload", "half after")
    }
    return {
        "Capacity, bookings a second": ", ".join(
            f"{rushed[name].goodput:.0f}" for name in ("capacity", "capacity after")
        ),
        "Booked in overload, of capacity": f"{over.goodput / rushed.capacity:.0%}",
        "Health checks in overload": f"{len(health)}, the slowest {max(health):.0f} ms",
        "As before, seconds after": f"{normal_after(rushed):.0f}",
        "Web processes, MB": ", ".join(f"{mb} {name}" for name, mb in resident.items()),
    }
