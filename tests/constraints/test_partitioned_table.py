"""The appointments' table is made by hand, because Django knows no partitions.

Here Django makes the table it believes in, in a separate schema, and the two are compared.
"""

import pytest
from django.db import connection

from bookings.models import Appointment

_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attname
"""
_CHECKS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype = 'c' ORDER BY 1
"""
_NAMED_CHECKS = """
SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'
  AND conname NOT LIKE 'bookings_appointment%%' ORDER BY 1
"""
_FOREIGN_KEYS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype = 'f' ORDER BY 1
"""
_INDEXES = """
SELECT indexrelid::regclass::text, indisunique, pg_get_expr(indpred, indrelid),
       (SELECT array_agg(attname ORDER BY position) FROM unnest(indkey::int[]) WITH ORDINALITY
        AS part (number, position) JOIN pg_attribute ON attrelid = indrelid AND attnum = number)
FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary ORDER BY 1
"""


@pytest.fixture
def compare(db):
    """Compares the answers of a query about our table and about Django's."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA by_django")
        cursor.execute("SET LOCAL search_path TO by_django, public")
        with connection.schema_editor() as editor:
            editor.create_model(Appointment)

        def ask(query: str, table: str) -> list[tuple]:
            cursor.execute(query, [table])
            return [tuple(_without_schema(value) for value in row) for row in cursor.fetchall()]

        yield lambda query: (
            ask(query, "public.bookings_appointment"),
            ask(query, "by_django.bookings_appointment"),
        )


def _without_schema(value):
    return (
        value.replace("public.", "").replace("by_django.", "") if isinstance(value, str) else value
    )


@pytest.mark.parametrize(
    "query",
    [_COLUMNS, _CHECKS, _NAMED_CHECKS, _FOREIGN_KEYS, _INDEXES],
    ids=["columns", "checks", "names of checks", "foreign keys", "indexes"],
)
def test_our_table_is_the_one_that_django_believes_in(compare, query):
    ours, djangos = compare(query)
    assert ours == djangos
    assert ours


@pytest.mark.django_db
def test_the_key_is_id_and_start_because_a_partitioned_key_must_name_the_start():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'bookings_appointment'::regclass AND contype = 'p'"
        )
        assert cursor.fetchall() == [("PRIMARY KEY (id, starts_at)",)]
