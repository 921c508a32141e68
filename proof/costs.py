"""Where the time of a booking goes, and what it costs until every message is sent.

Both are measured after the speed, with more rounds of the same load.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devstack.console import say
from devstack.interrupts import interrupts_noted
from proof.areas import where_time_goes
from proof.booking_load import HTTP_DOCTORS, HTTP_PATIENTS, SLOTS, Load, Size, cost, over_http
from proof.cpu import seconds_by_part, spent
from proof.findings import Finding
from proof.fixtures import Fixture, make_fixture, renewed
from proof.profiler import Spies
from proof.report import Row
from proof.scenarios import wait_until_drained
from proof.stack import Stack, running_stack

ROUNDS = 2  # the difference between the two is noise


@dataclass(frozen=True)
class Found:
    tables: Mapping[str, Sequence[Row]]
    findings: Sequence[Finding]


def look_at_work(stack: Stack, fixture: Fixture, size: Size, *, skip: int) -> Found:
    """While py-spy samples, which slows the web processes down. `skip` tasks were used before."""
    profiles, loads = [], []
    for number in range(1, ROUNDS + 1):
        fixture = renewed(stack, fixture)
        spies = Spies.start(stack, name=f"profile-{number}")
        try:
            done = over_http(stack, fixture, size, skip=skip, name=f"profiled-{number}")
        finally:
            profile = spies.end()
        profiles.append(profile)
        loads.append(done)
        skip += done.taken
        say(f"  profile {number}: {done.bookings_a_second:.0f}/s while py-spy looks")
    return Found(where_time_goes(profiles), [_wrong(loads, "while py-spy looked")])


def book_until_told(size: Size) -> Found:
    """On a separate stack, where worker, relay and beat run as well."""
    loads, left = [], 0
    with (
        interrupts_noted() as interrupts,
        running_stack(background=True, interrupts=interrupts) as stack,
    ):
        counts = {"doctors": HTTP_DOCTORS, "slots": SLOTS, "patients": HTTP_PATIENTS}
        fixture = make_fixture(stack, **counts, seed=size.seed)
        skip = over_http(stack, fixture, replace(size, seconds=3), skip=0, name="warm-up").taken
        wait_until_drained(stack)
        for number in range(1, ROUNDS + 1):
            fixture, before = renewed(stack, fixture), seconds_by_part(stack)
            done = over_http(stack, fixture, size, skip=skip, name=f"told-{number}")
            left += wait_until_drained(stack)
            loads.append(replace(done, cpu_seconds=spent(before, seconds_by_part(stack))))
            skip += done.taken
            say(f"  everything at work {number}: {done.bookings_a_second:.0f}/s")
    return Found(
        {"CPU milliseconds of a booking until all of it is told": cost(loads)},
        [
            _wrong(loads, "with everything at work"),
            Finding("messages that were not told two minutes after the load", left),
        ],
    )


def _wrong(loads: Sequence[Load], when: str) -> Finding:
    wrong = [each for load in loads for each in load.wrong]
    return Finding(f"requests {when} with a wrong answer", len(wrong), tuple(wrong[:5]))
