"""An index is built beside writers, waits for a report, and mends an interrupted try."""

from collections.abc import Iterator

import psycopg
import pytest
from django.apps import apps
from django.db import OperationalError, connection, models
from django.db.migrations.state import ProjectState

from docbook import concurrent_index
from docbook.concurrent_index import (
    AddIndexBesideWriters,
    IndexBesideWriters,
    RemoveIndexBesideWriters,
)
from tests.deployment.test_database_connections import url_of_the_test_database

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "test_clinic_by_street"


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    run(f"DROP INDEX IF EXISTS {NAME}")


def run(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def states() -> tuple[ProjectState, ProjectState]:
    before = ProjectState.from_apps(apps)
    after = before.clone()
    operation().state_forwards("doctors", after)
    return before, after


def operation() -> AddIndexBesideWriters:
    index = models.Index(fields=["street"], name=NAME)
    return AddIndexBesideWriters(model_name="clinic", index=index)


def build() -> None:
    with connection.schema_editor(atomic=False) as editor:
        operation().database_forwards("doctors", editor, *states())


def is_valid() -> list[tuple[object, ...]]:
    return run(f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{NAME}')")


def test_index_that_a_report_kept_from_being_built_is_built_by_the_next_try(monkeypatch) -> None:
    monkeypatch.setattr(concurrent_index, "PATIENCE", "100ms")
    with psycopg.connect(url_of_the_test_database()) as report:
        report.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        report.execute("SELECT count(*) FROM doctors_clinic")
        with pytest.raises(OperationalError):
            build()
    assert is_valid() == [(False,)]
    build()
    assert is_valid() == [(True,)]
    build()  # as after a process that died before it could note that it was done
    assert is_valid() == [(True,)]


def test_patience_ends_with_the_operation() -> None:
    (before,) = run("SHOW lock_timeout")
    build()
    assert run("SHOW lock_timeout") == [before]


def test_index_that_is_gone_already_can_be_removed() -> None:
    build()
    remove = RemoveIndexBesideWriters(model_name="clinic", name=NAME)
    before, after = states()
    for _try in range(2):
        with connection.schema_editor(atomic=False) as editor:
            remove.database_forwards("doctors", editor, after, before)
        assert is_valid() == []


def test_index_that_only_sql_describes_is_mended_too() -> None:
    run(f"CREATE INDEX {NAME} ON doctors_clinic (street)")
    run(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('{NAME}')")
    with connection.schema_editor(atomic=False) as editor:
        operation = IndexBesideWriters(NAME, on="doctors_clinic (street) WHERE street <> ''")
        operation.database_forwards("doctors", editor, *states())
    assert is_valid() == [(True,)]
    ((definition,),) = run(f"SELECT pg_get_indexdef(to_regclass('{NAME}'))")
    assert "WHERE" in str(definition)
