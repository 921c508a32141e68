"""Which test breaks which constraint, so none is left without a test."""

from collections.abc import Callable
from functools import wraps

import pytest
from django.db import DatabaseError, transaction

BROKEN: dict[str, str] = {}


def breaks(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """At the end of the test's body, the database must refuse in the name of this constraint.

    A constraint that each month's table has for itself has the month after its name.
    """

    def decorate(body: Callable[[], None]) -> Callable[[], None]:
        BROKEN[name] = body.__name__

        @pytest.mark.django_db
        @wraps(body)
        def test() -> None:
            with pytest.raises(DatabaseError) as refusal, transaction.atomic():
                body()
            assert without_month(refusal.value.__cause__.diag.constraint_name or "") == name

        return test

    return decorate


def without_month(name: str) -> str:
    """Like no_overlapping_visits_of_a_patient_2026_11 → no_overlapping_visits_of_a_patient."""
    head, _, tail = name.rpartition("_20")
    return head if head and len(tail) == len("26_11") else name
