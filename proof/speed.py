"""How many bookings a minute, next to what PostgreSQL alone can do.

The whole API over HTTP with every protection on: token, limits, Idempotency-Key, code, audit,
outbox; on a durable PostgreSQL. No workers run at the same time: the messages are written, but no
mails are sent. Before and after each round pgbench runs twice: with the same two statements, and
with its own tpcb-like, which changes of DocBook do not move. Compare the ratios, because the
machine's speed changes from minute to minute.

With a profile two more rounds of the same load follow, in which py-spy samples the web processes.
That slows them down, so it never runs while the speed is measured. Then come two rounds on a
separate stack with worker, relay and beat, until every message is sent.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median

from devstack.console import say
from devstack.interrupts import interrupts_noted
from proof.booking_load import (
    ACTS,
    HTTP_DOCTORS,
    HTTP_PATIENTS,
    SLOTS,
    Load,
    Size,
    cost,
    over_http,
)
from proof.costs import book_until_told, look_at_work
from proof.figures import percentile
from proof.findings import Finding, invariants
from proof.fixtures import Fixture, make_fixture, renewed
from proof.pgbench import Pool, run_pgbench
from proof.profiler import require_sight
from proof.report import Report
from proof.stack import Stack, running_stack
from proof.yardstick import make_yardstick, tpcb_like

# Below this, something is wrong with the path of a booking, on any machine.
LEAST_RATIO = 0.12

DOCTORS = 4500
PGBENCH_PATIENTS = 10_000
LEFT_TO_EACH_RUN = 2500


@dataclass(frozen=True)
class Alone:
    """What PostgreSQL does alone, a second: our two statements as one booking, and tpcb-like."""

    bookings: float
    tpcb_like: float


@dataclass(frozen=True)
class Round:
    """A load over HTTP, and PostgreSQL alone before and after it."""

    load: Load
    before: Alone
    after: Alone

    @property
    def of_our_statements(self) -> float:
        return self.load.bookings_a_second / mean((self.before.bookings, self.after.bookings))

    @property
    def of_tpcb_like(self) -> float:
        return self.load.bookings_a_second / mean((self.before.tpcb_like, self.after.tpcb_like))


def booking(size: Size, *, profile: bool) -> Report:
    load_before = [round(each, 2) for each in os.getloadavg()]
    with (
        interrupts_noted() as interrupts,
        running_stack(interrupts=interrupts) as stack,
    ):
        fixture = make_fixture(
            stack,
            doctors=DOCTORS,
            slots=SLOTS,
            patients=HTTP_PATIENTS + PGBENCH_PATIENTS,
            seed=size.seed,
        )
        if profile:
            require_sight(stack)
        script = _pgbench_script(stack, fixture)
        rounds, taken = _rounds(stack, fixture, script, size)
        report = _report(stack, rounds, size, load_before)
        if not profile:
            return report
        looked_at = look_at_work(stack, fixture, size, skip=taken)
    told = book_until_told(size)
    return replace(
        report,
        tables={**report.tables, **looked_at.tables, **told.tables},
        findings=[*report.findings, *looked_at.findings, *told.findings],
    )


def _pgbench_script(stack: Stack, fixture: Fixture) -> Path:
    pool = Pool(fixture.calendars[HTTP_DOCTORS:], fixture.patients[HTTP_PATIENTS:])
    path = stack.workshop.folder / "booking.pgbench"
    path.write_text(pool.script())
    return path


def _rounds(stack: Stack, fixture: Fixture, script: Path, size: Size) -> tuple[list[Round], int]:
    """Interleaved, so changes of the machine's speed affect both. Also returns how many tasks over
    HTTP were used.
    """

    def alone(number: int) -> Alone:
        seconds = max(3, size.seconds // 2)
        begin = number * LEFT_TO_EACH_RUN
        return Alone(
            bookings=run_pgbench(stack, script, seconds=seconds, begin=begin),
            tpcb_like=tpcb_like(stack, seconds=seconds),
        )

    skip = over_http(stack, fixture, replace(size, seconds=3), skip=0, name="warm-up").taken
    make_yardstick(stack)
    alone(0)
    stack.let_planner_look()  # discards plans made for empty tables
    before = alone(1)
    rounds: list[Round] = []
    for number in range(1, size.rounds + 1):
        done = over_http(stack, renewed(stack, fixture), size, skip=skip, name=f"round-{number}")
        skip += done.taken
        after = alone(number + 1)
        rounds.append(Round(done, before=before, after=after))
        before = after
        say(
            f"  round {number}: {done.bookings_a_second:.0f}/s; pgbench: our statements "
            f"{after.bookings:.0f}/s, tpcb-like {after.tpcb_like:.0f}/s"
        )
    return rounds, skip


def _report(
    stack: Stack, rounds: Sequence[Round], size: Size, load_before: Sequence[float]
) -> Report:
    ratios = [each.of_our_statements for each in rounds]
    of_tpcb_like = [each.of_tpcb_like for each in rounds]
    loads = [each.load for each in rounds]
    return Report(
        scenario="booking",
        seed=size.seed,
        database=stack.database_settings,
        tables={
            "Bookings, and what pgbench did a second before and after": [
                _row(each) for each in rounds
            ],
            "Time of a request in milliseconds": [_times(rounds, act) for act in ACTS],
            "CPU milliseconds of a booking": cost(loads),
        },
        figures={
            "a minute": round(60 * median(each.load.bookings_a_second for each in rounds)),
            "of our statements": round(median(ratios), 3),
            "of our statements, range": f"{min(ratios):.3f} to {max(ratios):.3f}",
            "of tpcb-like": round(median(of_tpcb_like), 4),
            "of tpcb-like, range": f"{min(of_tpcb_like):.4f} to {max(of_tpcb_like):.4f}",
            "bookings": sum(each.bookings for each in loads),
            "load average before": str(load_before),
            "rows": str(dict(stack.rows(_COUNTS))),
        },
        findings=[
            Finding(
                f"fewer than {LEAST_RATIO} of what pgbench does with our statements",
                int(median(ratios) < LEAST_RATIO),
            ),
            Finding(
                "requests that were not answered as they should be",
                sum(len(each.load.wrong) for each in rounds),
                tuple(wrong for each in rounds for wrong in each.load.wrong)[:5],
            ),
            *invariants(stack, history=None),
        ],
    )


def _row(each: Round) -> dict[str, object]:
    return {
        "a minute": round(60 * each.load.bookings_a_second),
        "a second": round(each.load.bookings_a_second),
        "our statements": f"{each.before.bookings:.0f}, {each.after.bookings:.0f}",
        "of them": f"{each.of_our_statements:.3f}",
        "tpcb-like": f"{each.before.tpcb_like:.0f}, {each.after.tpcb_like:.0f}",
        "of it": f"{each.of_tpcb_like:.4f}",
    }


def _times(rounds: Sequence[Round], act: str) -> dict[str, object]:
    times = [took for each in rounds for took in each.load.times[act]]
    row: dict[str, object] = {"act": act, "requests": len(times)}
    return row | {f"p{share}": f"{percentile(times, share / 100):.1f}" for share in (50, 95, 99)}


_COUNTS = """
SELECT 'appointments', count(*) FROM bookings_appointment UNION ALL
SELECT 'holds', count(*) FROM bookings_hold UNION ALL
SELECT 'audit events', count(*) FROM audit_auditevent UNION ALL
SELECT 'outbox messages', count(*) FROM outbox_outboxmessage
"""
