"""A busy database for each test, made in the test's own transaction.

A shared one would keep a transaction open for minutes, and no seal of the audit passes a running
transaction: tests of the seals, on the same server, would wait for it.
"""

import pytest

from bookings.invariants.recent import Look
from tests.bookings.invariants.busy import Busy, busy


@pytest.fixture
def before(db) -> Look:
    """A look at the database while nothing is in it; asked for before `world`."""
    return Look.here()


@pytest.fixture
def world(db) -> Busy:
    return busy()
