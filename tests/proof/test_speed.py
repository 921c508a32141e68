"""What is computed from measured figures."""

from collections.abc import Sequence

import pytest

from proof.booking_load import CLIENTS, Load
from proof.speed import Alone, Round
from proof.versus import Side, shares


def load(*, bookings_a_second: float) -> Load:
    return Load(bookings_a_second, taken=0, times={}, wrong=[], cpu_seconds={})


def test_load_is_compared_with_the_mean_of_what_postgresql_did_before_and_after():
    measured = Round(
        load(bookings_a_second=90),
        before=Alone(bookings=500, tpcb_like=2000),
        after=Alone(bookings=400, tpcb_like=1000),
    )

    assert measured.of_our_statements == pytest.approx(0.2)
    assert measured.of_tpcb_like == pytest.approx(0.06)


def side(
    name: str, *loads: Load, at_rate: Sequence[Load] = (), at_the_others: Sequence[Load] = ()
) -> Side:
    measured = Side(name, stack=None, fixture=None, loads=[*loads])
    measured.loads_at_rate, measured.loads_at_the_others = [*at_rate], [*at_the_others]
    return measured


def booked(*, hold: float, web: float, clients: float) -> Load:
    """Ten bookings whose holds took so many milliseconds, with the CPU seconds of all of them."""
    times = {"hold": [hold] * 10, "confirm": [1.0] * 10}
    cpu_seconds = {"web": web, CLIENTS: clients}
    return Load(10.0, taken=10, times=times, wrong=[], cpu_seconds=cpu_seconds)


def test_rate_is_a_share_of_what_the_side_could_do_in_its_median_round():
    measured = side("here", *(load(bookings_a_second=speed) for speed in (100, 300, 120)))

    assert measured.rate == pytest.approx(96)


def test_sides_are_compared_round_by_round_and_clients_are_no_cost_of_docbook():
    fast = booked(hold=10, web=0.02, clients=0.01)
    slow = booked(hold=40, web=0.05, clients=0.01)
    here = side("here", fast, at_rate=[fast], at_the_others=[slow])
    rows = shares(here, side("there", slow, at_rate=[slow]))
    medians = {str(row["figure"]): row["median"] for row in rows}

    assert medians["CPU, without clients"] == "0.40"
    assert medians["CPU, clients"] == "1.00"
    assert medians["hold p99 at its rate"] == "0.25"
    assert medians["hold p99 at the rate of there"] == "1.00"
