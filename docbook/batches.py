"""Deleting from tables that grow without end."""

from typing import Any

from django.db.models import QuerySet

BATCH = 1000


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Deletes all these rows, a bounded number in each transaction; returns how many.

    One statement for all of them would hold its locks, and the vacuum, for as long as it takes, and
    end at the statement timeout with nothing deleted.
    """
    total = 0
    while True:
        batch = list(rows.order_by().values_list("pk", flat=True)[:BATCH])
        total += rows.filter(pk__in=batch).delete()[0]
        if len(batch) < BATCH:
            return total
