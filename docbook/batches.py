"""Deletes from tables that keep growing."""

from typing import Any

from django.db.models import QuerySet

BATCH = 1000


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Deletes all these rows, a limited number in each transaction; returns how many.

    A single statement would hold its locks, and block vacuum, until it ends. It could also hit the
    statement timeout with nothing deleted.
    """
    total = 0
    while True:
        batch = list(rows.order_by().values_list("pk", flat=True)[:BATCH])
        total += rows.filter(pk__in=batch).delete()[0]
        if len(batch) < BATCH:
            return total
