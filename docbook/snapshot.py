"""Looking at the whole database as it was at one instant, beside those who work on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_snapshot() -> Iterator[None]:
    """All reads inside see the same committed state: nothing half-done, nothing newer.

    Takes no lock that a writer waits for. Its statements may take as long as they need. Cannot be
    nested in another transaction, which would have a snapshot already.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield
