"""Which tables statements read from end to end, also those inside of the database's functions."""

from collections.abc import Callable

from django.db import connection


def read_whole(act: Callable[[], object]) -> set[str]:
    """Tables that `act` scans although it is asked not to, for want of an index.

    An empty table is read as a whole whatever indexes there are, so scans are made to look dear.
    Counters of the running transaction: call it inside of the test's own.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("DISCARD PLANS")  # of functions, made by earlier tests under other settings
        before = _scans(cursor)
        act()
        after = _scans(cursor)
    return {table for table, count in after.items() if count > before.get(table, 0)}


def _scans(cursor: object) -> dict[str, int]:
    cursor.execute("SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE seq_scan > 0")
    return dict(cursor.fetchall())
