"""Client processes at work on a stack, and what they recorded."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devstack.processes import Process, Program, stop
from devstack.refusals import Refusal
from proof.fixtures import Fixture
from proof.history import Event, clock, read_history
from proof.plan import Plan
from proof.stack import Stack

SECOND = 10**9
# A client continues until its last request is answered, for as long as that may take.
PATIENCE = 120.0


def make_plan(
    stack: Stack, fixture: Fixture, *, processes: int, seconds: float, name: str = "load"
) -> Plan:
    folder = stack.workshop.folder / name
    folder.mkdir()
    return Plan(
        url=stack.url,
        otp_key=stack.otp_key,
        folder=str(folder),
        processes=processes,
        until=clock() + round(seconds * SECOND),
        seed=fixture.seed,
        calendars=fixture.calendars,
        patients=fixture.patients,
    )


def run_clients(
    stack: Stack, plan: Plan, *, during: Callable[[], None] = lambda: None
) -> list[Event]:
    """The history of all clients. `during` is called while they work, and may cause faults."""
    with _clients(stack, plan) as clients:
        during()
        left = (plan.until - clock()) / SECOND + PATIENCE
        _wait(stack, clients, timeout=left)
    return read_history(sorted(plan.history.glob("*.jsonl")))


@contextmanager
def _clients(stack: Stack, plan: Plan) -> Iterator[Sequence[Process]]:
    path = plan.history / "plan.json"
    plan.write(path)
    clients = [
        stack.workshop.start(_program(path, number=number)) for number in range(plan.processes)
    ]
    try:
        yield clients
    finally:
        stop(clients)


def _program(plan: Path, *, number: int) -> Program:
    command = [sys.executable, "-m", "proof.actor", str(plan), str(number)]
    return Program(name=f"client-{number}", command=command, patience=1.0)


def _wait(stack: Stack, clients: Sequence[Process], *, timeout: float) -> None:
    def all_ended() -> bool:
        return all(client.has_ended() for client in clients)

    if not stack.let_pass(timeout, until=all_ended):
        raise Refusal("The clients did not come to an end.")
    for client in clients:
        if client.popen.returncode:
            raise Refusal(f"{client.name} broke down:\n{client.last_words()}")
