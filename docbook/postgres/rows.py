"""A statement in SQL, and its rows."""

from typing import Any

from django.db import connection


def rows_of(sql: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
    """`values` fill in `%s`, or `named` ones `%(name)s`."""
    with connection.cursor() as cursor:
        cursor.execute(sql, named or values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
