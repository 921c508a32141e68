"""What is computed from measured figures."""

import pytest

from proof.booking_load import Load
from proof.speed import Alone, Round


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
