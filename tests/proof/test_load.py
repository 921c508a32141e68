"""A few seconds of load by real processes over HTTP; `make proof` is the long form."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from proof.client import Client
from proof.cpu import seconds_by_part, spent
from proof.findings import findings
from proof.fixtures import Fixture, make_fixture
from proof.history import Event
from proof.load import make_plan, run_clients
from proof.profiler import workers
from proof.scenarios import end_backends
from proof.stack import Stack, running_stack
from proof.stampede import promises, stampede

CROWD = 60
# A busy machine manages a few dozen acts in these seconds: none of them may be rare.
MIX = {"hold": 40, "confirm": 30, "release": 20, "cancel": 30, "read": 20}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack(database={"shared_buffers": "128MB"}) as running:
        yield running


@pytest.fixture(scope="module")
def fixture(stack: Stack) -> Fixture:
    return make_fixture(stack, doctors=3, slots=48, patients=200, seed=11)


@pytest.fixture(scope="module")
def history() -> list[Event]:
    """Grows from test to test, as the rows do."""
    return []


def load(stack: Stack, fixture: Fixture, *, seconds: float, name: str, during=lambda: None):
    plan = make_plan(stack, fixture, processes=6, seconds=seconds, name=name)
    return run_clients(stack, replace(plan, mix=MIX, lose=0.15, patience=3.0), during=during)


def broken(stack: Stack, history: list[Event]) -> dict[str, tuple[str, ...]]:
    found = findings(stack, sorted(history, key=lambda event: event.at))
    return {each.promise: each.examples for each in found if each.broken}


def test_every_promise_is_kept_under_load(stack, fixture, history):
    history += load(stack, fixture, seconds=5, name="load")

    assert broken(stack, history) == {}
    done = {event.f for event in history if event.type == "ok"}
    assert {"hold", "confirm"} <= done
    assert done & {"release", "cancel"}
    assert "info" in {event.type for event in history}


def test_cpu_of_each_part_is_counted_with_all_its_processes(stack):
    before, client = seconds_by_part(stack), Client(stack.url)
    for _ in range(30):
        assert client.call("GET", "/api/v1/doctors").status == 200
    cost = spent(before, seconds_by_part(stack))
    assert cost.keys() == {"web", "valkey", "postgres"}
    assert cost["web"] > 0
    assert cost["postgres"] > 0
    assert len(workers(stack)) == 2


def test_every_promise_is_kept_while_postgresql_ends_connections(stack, fixture, history):
    ended = []

    def end_some() -> None:
        for _ in range(3):
            stack.let_pass(1.0)
            # On a busy machine, nobody may have connected again yet.
            wait_until = stack.workshop.interrupts.wait_until
            ended.append(wait_until(lambda: end_backends(stack) > 0, timeout=60))

    history += load(stack, fixture, seconds=5, name="ended", during=end_some)

    assert all(ended)
    assert broken(stack, history) == {}


def test_of_a_stampede_one_wins(stack, fixture, history):
    calendar = fixture.calendars[-1]
    free = stack.rows("SELECT max(id) FROM doctors_slot WHERE state = 'open'")
    rush = stampede(stack, calendar=calendar, slot=free[0][0], patients=fixture.patients[:CROWD])
    history += rush

    assert [each for each in promises(rush) if each.broken] == []
    assert broken(stack, history) == {}


def test_slots_that_are_opened_behind_everybodys_back_do_not_pass(stack, fixture, history):
    """The negative control: the guard is removed, and the judges see the result."""
    before = _bookings(stack)

    def open_all_slots() -> None:
        stack.workshop.interrupts.wait_until(lambda: _bookings(stack) > before + 3, timeout=60)
        with psycopg.connect(stack.database_url) as connection:
            connection.execute(
                "UPDATE doctors_slot SET state = 'open', hold_id = NULL, held_until = NULL"
            )

    history += load(stack, fixture, seconds=6, name="robbed", during=open_all_slots)

    found = broken(stack, history)
    assert "slots whose answers no order explains" in found
    assert "I05" in {promise.partition(" ")[0] for promise in found}


def _bookings(stack: Stack) -> int:
    [(count,)] = stack.rows("SELECT count(*) FROM bookings_appointment")
    return count
