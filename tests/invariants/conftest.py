"""The busy database is made once for each module; what a test does to it is rolled back."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from tests.invariants.busy import Busy, busy


@pytest.fixture(scope="module")
def _built(django_db_setup, django_db_blocker) -> Iterator[Busy]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield busy()
        transaction.set_rollback(True)


@pytest.fixture
def world(_built) -> Iterator[Busy]:
    with transaction.atomic():
        yield _built
        transaction.set_rollback(True)
