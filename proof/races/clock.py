"""A clock that stands still until an act says that time passes: what is alive at one step has
expired at the next.

Statements ask `races_clock()` where they would ask the database's clock. The instant is the value
of a sequence, in microseconds, which everybody sees at once, as everybody sees the time.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from docbook.postgres.rows import rows_of

# The first value of a sequence: it runs like the clock of everybody else.
RUNNING = 1
_CLOCKS = re.compile(r"\b(?:clock|statement)_timestamp\(\)", re.IGNORECASE)
# Promises about the data allow a transaction some seconds from its look to its note.
_AFTER_THE_LAST_HOLD = """
SELECT extract(epoch FROM coalesce(max(expires_at), clock_timestamp()) + interval '5 seconds')
FROM bookings_hold WHERE state = 'held'
"""


@contextmanager
def clock_of_ours() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE races_now")
        cursor.execute("CREATE SEQUENCE races_later")
        cursor.execute(
            "CREATE FUNCTION races_clock() RETURNS timestamptz LANGUAGE sql AS"
            " 'SELECT CASE last_value WHEN 1 THEN clock_timestamp()"
            " ELSE to_timestamp(last_value / 1e6) END FROM races_now'"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION races_clock()")
            cursor.execute("DROP SEQUENCE races_now, races_later")


def by_our_clock(statement: str) -> str:
    return _CLOCKS.sub("races_clock()", statement)


def stop_clock() -> int:
    """At this instant; returns it. What `let_time_pass` leads to is when all holds have expired."""
    [(later,)] = rows_of(_AFTER_THE_LAST_HOLD)
    rows_of("SELECT setval('races_later', %s)", int(later * 10**6))
    [(now,)] = rows_of("SELECT (extract(epoch FROM clock_timestamp()) * 1e6)::bigint")
    set_clock(now)
    return int(now)


def set_clock(instant: int) -> None:
    rows_of("SELECT setval('races_now', %s)", instant)


def let_time_pass() -> None:
    rows_of("SELECT setval('races_now', last_value) FROM races_later")
