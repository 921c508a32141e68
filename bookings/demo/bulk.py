"""Many rows at once, by PostgreSQL's COPY."""

from collections.abc import Iterable, Sequence

from django.db import connection


def copy_rows(*, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Adds the rows in the running transaction. Table and columns are names of ours."""
    names = ", ".join(f'"{column}"' for column in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
