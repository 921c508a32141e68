"""What DocBook is put through. Each scenario returns a report; none may break a promise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from devstack.console import report
from devstack.interrupts import interrupts_noted
from proof.figures import Answered, answered, between, bookings, by_act, milliseconds, refusals
from proof.findings import Finding, findings
from proof.fixtures import make_fixture
from proof.history import Event, clock
from proof.load import SECOND, make_plan, run_clients
from proof.overload import overload
from proof.report import Report, Row
from proof.stack import Stack, running_stack
from proof.stampede import promises, stampede

DRAINED_WITHIN = 120.0
# PostgreSQL ends all connections; after the last time, everything goes on as before.
BETWEEN_ENDS, QUIET = 2.0, 8.0
RECONNECTED_WITHIN = 1.0
# The statement that claims a slot.
CLAIM = "bookings_hold\\(|SKIP LOCKED"


@dataclass(frozen=True, kw_only=True)
class Size:
    """`seconds` of load by this many client processes; `crowd` clients in a stampede."""

    seed: int = 1
    seconds: float = 60.0
    processes: int = 20
    crowd: int = 500
    doctors: int = 20
    slots: int = 240
    patients: int = 2000


def mixed(stack: Stack, size: Size) -> Report:
    """Everything at once. All clients want a few slots, and one request in fifty gets no answer."""
    history = _load(stack, size)
    wait_until_drained(stack)
    return _report(stack, "mixed", size, history)


def redis_loss(stack: Stack, size: Size) -> Report:
    """The same, and Redis is gone for the second third."""
    third = size.seconds / 3
    gone: list[int] = []

    def during() -> None:
        stack.let_pass(third)
        gone.append(clock())
        stack.valkey.stop()
        stack.let_pass(third)
        gone.append(clock())
        stack.valkey.start()

    history = _load(stack, size, during=during)
    phases = _phases(history, {"before": (0, gone[0]), "without Redis": (gone[0], gone[1])})
    went_on = between(answered(history), *gone)
    booked = sum(map(is_booked, went_on))
    left = wait_until_drained(stack)
    return _report(
        stack,
        "redis-loss",
        size,
        history,
        tables={"Bookings by phase": phases},
        more=[
            Finding("outage without a single booking", int(booked == 0)),
            Finding("messages undelivered 120 s after", left),
        ],
    )


def worker_loss(stack: Stack, size: Size) -> Report:
    """The worker is away for the second half: nobody waits longer, and every mail is sent later."""
    half = size.seconds / 2
    gone: list[int] = []

    def during() -> None:
        stack.let_pass(half)
        gone.append(clock())
        stack.worker.stop()
        stack.let_pass(half)

    history = _load(stack, size, during=during)
    waiting = _undelivered(stack)
    stack.worker.start()
    left = wait_until_drained(stack)
    phases = _phases(history, {"with the worker": (0, gone[0]), "without": (gone[0], clock())})
    return _report(
        stack,
        "worker-loss",
        size,
        history,
        tables={"Bookings by phase": phases},
        figures={"Messages that waited": waiting, **_mails(stack)},
        more=[
            Finding("messages undelivered 120 s after", left),
            Finding("bookings slower without the worker", _is_slower(phases)),
            Finding("visits that stand, and were never mailed", _unmailed(stack)),
        ],
    )


def stampedes(stack: Stack, size: Size) -> Report:
    """One slot, one instant, everybody; then again without Redis, with the database alone."""
    fixture = make_fixture(stack, doctors=1, slots=48, patients=size.crowd, seed=size.seed)
    (calendar,) = fixture.calendars
    history: list[Event] = []
    rows: list[Row] = []
    kept: list[Finding] = []
    for number, title in enumerate(("first", "again", "without Redis")):
        if title == "without Redis":
            stack.valkey.stop()
        stack.rows("SELECT pg_stat_statements_reset()")
        slot = calendar.slots[number * 8]
        now = stampede(stack, calendar=calendar, slot=slot, patients=fixture.patients)
        rows.append({"stampede": title, **_rush(now), **_reached(stack)})
        kept += [
            Finding(f"{each.promise} ({title})", each.broken, each.examples)
            for each in promises(now)
        ]
        history += now
    return _report(stack, "stampede", size, history, tables={"Stampedes": rows}, more=kept)


def backend_loss(stack: Stack, size: Size) -> Report:
    """The same, and every two seconds PostgreSQL ends all connections of DocBook. The last seconds
    are quiet again.
    """
    ended: list[int] = []
    at: list[int] = []

    def during() -> None:
        end = clock() + round((size.seconds - min(QUIET, size.seconds / 2)) * SECOND)
        while clock() < end:
            stack.let_pass(BETWEEN_ENDS)
            ended.append(end_backends(stack))
            at.append(clock())

    history = _load(stack, size, during=during, lose=0.0)
    left = wait_until_drained(stack)
    phases = _phases(history, {"during": (0, at[-1]), "after": (at[-1], clock())})
    return _report(
        stack,
        "backend-loss",
        size,
        history,
        tables={"Bookings by phase": phases},
        figures={
            "Connections ended": f"{sum(ended)} in {len(ended)} times",
            "Answered with 503": sum(each.status == 503 for each in history),
        },
        more=[
            Finding("times without a connection to end", ended.count(0)),
            *recovered(history, last=at[-1]),
            Finding("messages undelivered 120 s after", left),
        ],
    )


def recovered(history: Sequence[Event], *, last: int) -> list[Finding]:
    """Whether everybody was answered, and all goes on after the `last` end of connections."""
    silent = [each.op for each in history if each.type == "info" and not each.status]
    late = between(answered(history), last + round(RECONNECTED_WITHIN * SECOND), clock())
    return [
        Finding("requests without an answer", len(silent), tuple(silent[:5])),
        Finding("no booking once it was over", int(not any(map(is_booked, late)))),
        Finding("answers with 503 once it was over", sum(each.status == 503 for each in late)),
    ]


def end_backends(stack: Stack) -> int:
    """How many connections of the application PostgreSQL has ended."""
    [(count,)] = stack.rows("""
        SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND usename <> current_user""")
    return int(count)


def overloaded(stack: Stack, size: Size) -> Report:
    """For these seconds, three times as many bookings as can be made."""
    return overload(stack, seconds=size.seconds, seed=size.seed)


SCENARIOS: Mapping[str, Callable[[Stack, Size], Report]] = {
    "mixed": mixed,
    "stampede": stampedes,
    "redis-loss": redis_loss,
    "worker-loss": worker_loss,
    "backend-loss": backend_loss,
    "overload": overloaded,
}
# Only the web processes run in these.
WITHOUT_BACKGROUND = ("stampede", "overload")


def run_scenario(name: str, size: Size) -> Report:
    """On a separate stack."""
    with interrupts_noted() as interrupts:
        background = name not in WITHOUT_BACKGROUND
        with running_stack(background=background, interrupts=interrupts) as stack:
            report("Stack", f"{stack.url}, PostgreSQL {stack.database_settings['server_version']}")
            return SCENARIOS[name](stack, size)


def _load(
    stack: Stack,
    size: Size,
    *,
    during: Callable[[], None] = lambda: None,
    **changes: Any,
) -> list[Event]:
    """`changes` are other values of the plan."""
    fixture = make_fixture(
        stack, doctors=size.doctors, slots=size.slots, patients=size.patients, seed=size.seed
    )
    report("Load", f"{size.processes} clients, {size.seconds:.0f} s, seed {size.seed}")
    plan = make_plan(stack, fixture, processes=size.processes, seconds=size.seconds)
    return run_clients(stack, replace(plan, **changes), during=during)


def _report(
    stack: Stack,
    scenario: str,
    size: Size,
    history: Sequence[Event],
    *,
    tables: Mapping[str, Sequence[Row]] | None = None,
    figures: Mapping[str, object] | None = None,
    more: Sequence[Finding] = (),
) -> Report:
    answers = answered(history)
    refused = [{"refusal": name, "times": count} for name, count in refusals(answers).items()]
    return Report(
        scenario=scenario,
        seed=size.seed,
        database=stack.database_settings,
        tables={"Requests": by_act(answers), "Refusals": refused, **(tables or {})},
        figures={
            "Events in the history": len(history),
            "Started again": stack.revived or "none",
            **(figures or {}),
        },
        findings=[*findings(stack, history), *more],
    )


def _phases(history: Sequence[Event], phases: Mapping[str, tuple[int, int]]) -> list[Row]:
    """How the booking requests went, by the time when they were sent."""
    rows: list[Row] = []
    for name, (begin, end) in phases.items():
        mine = bookings(between(answered(history), begin, end))
        rows.append(
            {
                "phase": name,
                "requests": len(mine),
                "ok": sum(each.type == "ok" for each in mine),
                "no answer": sum(each.type == "info" for each in mine),
                "p50 ms": milliseconds(mine, 0.5),
                "p95 ms": milliseconds(mine, 0.95),
                "p99 ms": milliseconds(mine, 0.99),
            }
        )
    return rows


def is_booked(each: Answered) -> bool:
    return each.f == "confirm" and each.type == "ok"


def _is_slower(phases: Sequence[Row]) -> int:
    """By the median, and by half: a shared machine cannot show smaller differences."""
    before, during = (float(str(row["p50 ms"])) for row in phases)
    return int(during > 1.5 * before)


def _rush(history: Sequence[Event]) -> Row:
    holds = [each for each in answered(history) if each.f == "hold"]
    return {
        "clients": len(holds),
        "201": sum(each.status == 201 for each in holds),
        "refused": sum(each.type == "fail" for each in holds),
        "5xx": sum(each.status >= 500 for each in holds),
        "p50 ms": milliseconds(holds, 0.5),
        "p99 ms": milliseconds(holds, 0.99),
    }


def _reached(stack: Stack) -> Row:
    """What a stampede cost PostgreSQL; `claims` are the requests that reached the slot."""
    sql = """
        SELECT coalesce(sum(calls), 0)::int,
               coalesce(sum(calls) FILTER (WHERE query ~ %s), 0)::int
        FROM pg_stat_statements WHERE query !~ 'pg_stat_statements'"""
    [(statements, claims)] = stack.rows(sql, CLAIM)
    return {"statements": statements, "claims": claims}


def _undelivered(stack: Stack) -> int:
    [(count,)] = stack.rows("SELECT count(*) FROM outbox_outboxmessage WHERE done_at IS NULL")
    return int(count)


def wait_until_drained(stack: Stack) -> int:
    """How many messages are left after two minutes."""
    stack.let_pass(DRAINED_WITHIN, until=lambda: _undelivered(stack) == 0)
    return _undelivered(stack)


def _unmailed(stack: Stack) -> int:
    """Visits that are still confirmed, but without a mail about it."""
    [(count,)] = stack.rows("""
        SELECT count(*) FROM bookings_appointment AS a JOIN outbox_outboxmessage AS m
        ON m.aggregate_id = a.id::text AND m.topic IN ('appointment.confirmed', 'appointment.moved')
        WHERE a.status = 'confirmed' AND NOT EXISTS (
            SELECT FROM outbox_outboxdelivery AS d
            WHERE d.message_id = m.id AND d.delivered_at IS NOT NULL)""")
    return int(count)


def _mails(stack: Stack) -> dict[str, object]:
    """The mails that arrived. The same Message-ID twice is the same mail twice."""
    names = [_message_id(path) for path in (stack.maildir / "new").iterdir()]
    return {"Mails": len(names), "Mails that came twice": len(names) - len(set(names))}


def _message_id(path: Path) -> str:
    with path.open("rb") as mail:
        return str(BytesHeaderParser().parse(mail)["Message-ID"])
