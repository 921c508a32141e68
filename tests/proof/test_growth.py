"""The past that the bench of growth makes up is one that DocBook could have, and its ratios."""

from collections.abc import Iterator

import pytest

from proof.findings import invariants
from proof.growth import Cost, Past, Side, Size, growth_of, make_side, one_round
from proof.stack import Stack, running_stack

VISITS = 1000


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack(database={"shared_buffers": "128MB"}) as running:
        yield running


@pytest.fixture(scope="module")
def side(stack: Stack) -> Side:
    past = Past(few=VISITS, many=VISITS, doctors=120, patients=1700)
    return make_side(stack, past, visits=VISITS, seed=3)


def broken(stack: Stack) -> dict[str, tuple[str, ...]]:
    return {each.promise: each.examples for each in invariants(stack, None) if each.broken}


def test_every_promise_holds_for_the_past_and_after_everyday_work(side, stack):
    rows = "SELECT count(*), count(DISTINCT patient_id) FROM bookings_appointment"
    [(visits, patients)] = stack.rows(rows)
    assert visits == VISITS
    assert patients > VISITS / 2
    assert stack.rows("SELECT count(*) FROM audit_auditevent") == [(4 * VISITS,)]
    [(recent,)] = stack.rows("SELECT count(*) FROM doctors_slot WHERE state = 'booked'")
    assert recent > 0
    assert broken(stack) == {}

    costs = one_round(side, Size(requests=3))

    assert side.wrong == []
    assert broken(stack) == {}
    assert stack.rows(rows)[0][0] == VISITS + 3
    assert costs.keys() >= {"hold", "confirm", "day", "month", "search", "look at invariants"}
    assert {act for act, cost in costs.items() if cost.database <= 0} == set()


def measured(*milliseconds: float) -> Side:
    costs = [Cost(database=each, cpu=each) for each in milliseconds]
    return Side(VISITS, stack=None, fixture=None, days=[], costs={"hold": costs})


def test_act_has_grown_if_the_median_of_its_rounds_has():
    few = measured(10, 10, 10)

    assert not growth_of(few, measured(30, 12, 5), "hold").broken
    assert growth_of(few, measured(5, 13, 30), "hold").broken
