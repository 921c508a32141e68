"""A busy database for each test, made in the test's own transaction.

Sharing one would keep a transaction open for minutes, and no seal of the audit passes a transaction
that runs: tests of the seals, on the same server, would wait for it.
"""

import pytest

from tests.invariants.busy import Busy, busy


@pytest.fixture
def world(db) -> Busy:
    return busy()
