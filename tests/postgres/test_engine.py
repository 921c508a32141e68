"""What our database engine adds to Django's."""

from collections.abc import Iterator

import pytest
from django.db import NotSupportedError, connection, connections, transaction

pytestmark = pytest.mark.django_db(transaction=True)

READ = "SELECT number FROM plans_probe"


@pytest.fixture
def prepared() -> Iterator[None]:
    """A statement that this connection has prepared, with its column changed by a migration."""
    execute("CREATE TABLE plans_probe AS SELECT 1::integer AS number")
    for _n in range(10):
        assert execute(READ) == [(1,)]
    assert [sql for (sql,) in execute("SELECT statement FROM pg_prepared_statements")]
    migration = connections.create_connection("default")
    with migration.cursor() as cursor:
        cursor.execute("ALTER TABLE plans_probe ALTER COLUMN number TYPE bigint")
    migration.close()
    yield
    execute("DROP TABLE plans_probe")


def execute(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.usefixtures("prepared")
def test_column_changed_by_a_migration_is_read_at_once():
    assert [execute(READ), execute(READ)] == [[(1,)], [(1,)]]


@pytest.mark.usefixtures("prepared")
def test_transaction_fails_once_after_a_migration_and_then_works():
    with pytest.raises(NotSupportedError, match="change result type"), transaction.atomic():
        execute(READ)

    with transaction.atomic():
        assert execute(READ) == [(1,)]
