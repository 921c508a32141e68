"""Bookings over HTTP by client processes, each a hold and a confirmation, and their cost."""

import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from devstack.processes import Process, Program, stop
from devstack.refusals import Refusal
from proof.booker import plan_of
from proof.cpu import seconds_by_part, spent
from proof.fixtures import Fixture
from proof.report import Row
from proof.stack import Stack

ACTS = ("hold", "confirm")
SLOTS = 60
# Enough times for all rounds on the fastest machine so far, at 55,000 bookings a minute.
HTTP_DOCTORS, HTTP_PATIENTS = 2000, 8000
# A rush: people more than the server has threads, who ask at once.
CONNECTIONS = 64
CLIENTS = "clients"


@dataclass(frozen=True)
class Size:
    rounds: int = 5
    seconds: int = 10
    processes: int = 1
    connections: int = CONNECTIONS
    seed: int = 1


@dataclass(frozen=True)
class Load:
    """What the clients of one round did; times in milliseconds, by act. The CPU of the clients is a
    part like those of the stack.
    """

    bookings_a_second: float
    taken: int
    times: dict[str, list[float]]
    wrong: list[str]
    cpu_seconds: dict[str, float]

    @property
    def bookings(self) -> int:
        return len(self.times["confirm"])

    @classmethod
    def of(cls, clients: Sequence[dict[str, Any]], *, cpu_seconds: dict[str, float]) -> "Load":
        times = {act: [t for each in clients for t in each["times"][act]] for act in ACTS}
        return cls(
            bookings_a_second=sum(
                len(each["times"]["confirm"]) / each["seconds"] for each in clients
            ),
            # Clients work at their own pace. This is the number of tasks that any of them has
            # passed.
            taken=max(each["taken"] for each in clients) * len(clients),
            times=times,
            wrong=[wrong for each in clients for wrong in each["wrong"]],
            cpu_seconds={**cpu_seconds, CLIENTS: sum(each["cpu_seconds"] for each in clients)},
        )


def over_http(
    stack: Stack, fixture: Fixture, size: Size, *, skip: int, name: str, rate: float = 0.0
) -> Load:
    """`skip` tasks were used before. `rate` is how many bookings begin in a second; 0 is as many as
    the connections can do.
    """
    folder = stack.workshop.folder / name
    folder.mkdir()
    plan = plan_of(
        Fixture(fixture.seed, fixture.calendars[:HTTP_DOCTORS], fixture.patients[:HTTP_PATIENTS]),
        url=stack.url,
        otp_key=stack.otp_key,
        seconds=size.seconds,
        processes=size.processes,
        connections=max(CONNECTIONS, size.connections) if rate else size.connections,
        rate=rate,
        skip=skip,
        begin_at=time.time() + 2.0,  # enough to read the plan
    )
    path = folder / "plan.json"
    plan.write(path)
    clients = [
        stack.workshop.start(
            Program(
                name=f"{name}-{number}",
                command=[sys.executable, "-m", "proof.booker", str(path), str(number)],
            )
        )
        for number in range(size.processes)
    ]
    before = seconds_by_part(stack)
    try:
        found = [words_of(client, stack, timeout=size.seconds + 60.0) for client in clients]
    finally:
        stop(clients)
    return Load.of(found, cpu_seconds=spent(before, seconds_by_part(stack)))


def words_of(client: Process, stack: Stack, *, timeout: float) -> dict[str, Any]:
    """What a client has printed at its end. Raises Refusal if it broke down."""
    stack.workshop.interrupts.wait_until(client.has_ended, timeout=timeout)
    words = client.log.read_text()
    if client.popen.poll() != 0:
        raise Refusal(f"{client.name} broke down:\n{words[-2000:]}")
    return dict(json.loads(words))


def cost(loads: Sequence[Load]) -> list[Row]:
    """A row for each part: CPU milliseconds per booking."""
    rows: list[Row] = []
    for part in loads[0].cpu_seconds:
        costs = [1000 * each.cpu_seconds[part] / each.bookings for each in loads]
        rows.append(
            {
                "processes": part,
                "median": f"{statistics.median(costs):.2f}",
                "range": f"{min(costs):.2f} to {max(costs):.2f}",
            }
        )
    return sorted(rows, key=lambda row: -float(str(row["median"])))
