"""`make bench`: how many bookings a minute, next to what PostgreSQL alone can do.

make bench                               five rounds, about three minutes
make bench ARGS="--rounds 9"             more of them
make bench ARGS=--profile                and where the time goes: three minutes more
make bench ARGS="--against REVISION"     beside the bookings of another revision
make bench SUITE=pages                   what a page costs, two minutes
make bench SUITE=pages ARGS="--against REVISION"

Figures of full size go into docs/results, others into .dev/results.

The whole API over HTTP with every protection on: token, limits, Idempotency-Key, code, audit,
outbox; on a durable PostgreSQL. No workers run at the same time: the messages are written, but no
mails are sent. pgbench runs the same two statements before and after each round. Compare the ratio
of the two, because the machine's speed changes from minute to minute.

With --profile two more rounds of the same load follow, in which py-spy samples the web processes.
That slows them down, so it never runs while the speed is measured. Then come two rounds on a
separate stack with worker, relay and beat, until every message is sent.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from devstack.console import say
from devstack.interrupts import interrupts_noted
from devstack.refusals import Interrupted, Refusal
from proof import pages
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
from proof.versus import compare_bookings

# Below this, something is wrong with the path of a booking, on any machine.
LEAST_RATIO = 0.12

DOCTORS = 3000
PGBENCH_PATIENTS = 10_000
LEFT_TO_EACH_RUN = 2500


@dataclass(frozen=True)
class Round:
    """A load over HTTP, and pgbench's bookings per second before and after it."""

    load: Load
    before: float
    after: float

    @property
    def ratio(self) -> float:
        return self.load.bookings_a_second / ((self.before + self.after) / 2)


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
    layouts = json.loads(
        stack.run(
            "-c",
            "import django; django.setup(); import json;"
            "from bookings.engine.answer_layouts import APPOINTMENT, ATTEMPT;"
            "print(json.dumps([ATTEMPT, APPOINTMENT]))",
        )
    )
    path = stack.workshop.folder / "booking.pgbench"
    path.write_text(pool.script(attempt=layouts[0], appointment=layouts[1]))
    return path


def _rounds(stack: Stack, fixture: Fixture, script: Path, size: Size) -> tuple[list[Round], int]:
    """Interleaved, so changes of the machine's speed affect both. Also returns how many tasks over
    HTTP were used.
    """
    pgbench_seconds = max(3, size.seconds // 2)
    skip = over_http(stack, fixture, replace(size, seconds=3), skip=0, name="warm-up").taken
    run_pgbench(stack, script, seconds=pgbench_seconds, begin=0)
    stack.let_planner_look()  # discards plans made for empty tables
    before = run_pgbench(stack, script, seconds=pgbench_seconds, begin=LEFT_TO_EACH_RUN)
    rounds: list[Round] = []
    for number in range(1, size.rounds + 1):
        done = over_http(stack, renewed(stack, fixture), size, skip=skip, name=f"round-{number}")
        skip += done.taken
        after = run_pgbench(
            stack, script, seconds=pgbench_seconds, begin=(number + 1) * LEFT_TO_EACH_RUN
        )
        rounds.append(Round(done, before=before, after=after))
        before = after
        say(f"  round {number}: {done.bookings_a_second:.0f}/s, pgbench {after:.0f}/s")
    return rounds, skip


def _report(
    stack: Stack, rounds: Sequence[Round], size: Size, load_before: Sequence[float]
) -> Report:
    ratios = [each.ratio for each in rounds]
    loads = [each.load for each in rounds]
    return Report(
        scenario="booking",
        seed=size.seed,
        database=stack.database_settings,
        tables={
            "Bookings, each a hold and a confirmation": [_row(each) for each in rounds],
            "Time of a request in milliseconds": [_times(rounds, act) for act in ACTS],
            "CPU milliseconds of a booking": cost(loads),
        },
        figures={
            "a minute": round(
                60 * statistics.median(each.load.bookings_a_second for each in rounds)
            ),
            "ratio, median": round(statistics.median(ratios), 3),
            "ratio, range": f"{min(ratios):.3f} to {max(ratios):.3f}",
            "bookings": sum(each.bookings for each in loads),
            "load average before": str(load_before),
            "rows": str(dict(stack.rows(_COUNTS))),
        },
        findings=[
            Finding(
                f"fewer than {LEAST_RATIO} of what pgbench does",
                int(statistics.median(ratios) < LEAST_RATIO),
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
        "pgbench before": round(each.before),
        "pgbench after": round(each.after),
        "ratio": f"{each.ratio:.3f}",
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


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 if a promise was broken."""
    chosen = vars(_parser().parse_args(arguments))
    suite, against = chosen.pop("suite"), chosen.pop("against")
    if suite == "pages":
        pages_size = pages.Size(**chosen)
        report = pages.compare_pages(pages_size, against=against)
        # Costs of another revision depend on that revision, so they are no record.
        name, is_record = "bench", pages_size == pages.Size() and not against
    else:
        profile = chosen.pop("profile")
        size = Size(**chosen)
        if against:
            report = compare_bookings(size, against=against)
        else:
            report = booking(size, profile=profile)
        # In its own file: a profile must not replace a record of the speed.
        name = "bench-profile" if profile else "bench"
        is_record = size == Size() and not against
    report.show()
    report.write(name=name, is_record=is_record)
    return 0 if report.is_clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    suites = parser.add_subparsers(dest="suite", required=True)
    of_bookings = suites.add_parser("booking")
    of_pages = suites.add_parser("pages")
    either = of_bookings.add_mutually_exclusive_group()
    either.add_argument("--profile", action="store_true", help="print where the time goes")
    for suite in (either, of_pages):
        suite.add_argument("--against", default="", help="a revision to measure beside this one")
    for suite, sizes in ((of_bookings, fields(Size)), (of_pages, fields(pages.Size))):
        for each in sizes:
            suite.add_argument(f"--{each.name}", type=type(each.default), default=each.default)
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refusal as refusal:
        sys.exit(str(refusal))
    except Interrupted:
        sys.exit(130)
