"""Which tables statements read from end to end, including those inside the database's functions."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection
from psycopg.errors import Diagnostic

_WHOLE = re.compile(r"Seq Scan on (\w+)")


def read_whole(act: Callable[[], object]) -> set[str]:
    """Tables that `act` scans although it is asked not to, for lack of an index."""
    return {table for plan in _plans(act) for table in _WHOLE.findall(plan)}


def _plans(act: Callable[[], object]) -> list[str]:
    """PostgreSQL's own account of every statement, including nested ones.

    An empty table is read as a whole whatever indexes it has, so such scans are made to look
    expensive. Plans left by earlier tests are discarded. Runs inside a test's transaction.
    """
    with _explained() as plans:
        act()
    return plans


@contextmanager
def _explained() -> Iterator[list[str]]:
    plans: list[str] = []

    def note(diagnostic: Diagnostic) -> None:
        plans.append(diagnostic.message_primary or "")

    with connection.cursor() as cursor:
        cursor.execute("LOAD 'auto_explain'")
        for name, value in (
            ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_nested_statements", "on"),
            ("client_min_messages", "log"),
            ("enable_seqscan", "off"),
        ):
            cursor.execute(f"SET LOCAL {name} = {value}")
        cursor.execute("DISCARD PLANS")
    connection.connection.add_notice_handler(note)
    try:
        yield plans
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")  # the plan of the last statement comes when the next begins
    finally:
        connection.connection.remove_notice_handler(note)
        with connection.cursor() as cursor:
            for name in ("auto_explain.log_min_duration", "client_min_messages"):
                cursor.execute(f"SET LOCAL {name} = DEFAULT")
