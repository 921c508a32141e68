"""Many rows at once, by PostgreSQL's COPY, without the time limits of a web request."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def unhurried() -> Iterator[None]:
    """A transaction whose statements may take minutes; the default allows five seconds."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '5min'")
        yield


def copy_rows(*, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Adds the rows in the current transaction. Only our code names tables and columns."""
    names = ", ".join(f'"{column}"' for column in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
