"""Indexes that are built and dropped beside the writers, for migrations that may be run again.

CREATE INDEX CONCURRENTLY waits for every transaction that began before it, such as a long report.
At the two seconds after which all other migrations give up a lock it would die, and leave an
invalid index behind that costs every write, answers no query, and is in the way of the next try.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

# It holds nobody up while it waits, so it may wait for a report of half an hour.
PATIENCE = "30min"

_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


class AddIndexBesideWriters(AddIndexConcurrently):
    """Builds the index; a broken one of that name goes first, a whole one stays as it is."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, *states: Any, **named: Any
    ) -> None:
        with patience(schema_editor):
            if not _is_whole(schema_editor, schema_editor.quote_name(self.index.name)):
                super().database_forwards(app_label, schema_editor, *states, **named)

    def database_backwards(self, *arguments: Any, **named: Any) -> None:
        with patience(arguments[1]):
            super().database_backwards(*arguments, **named)


class IndexBesideWriters(RunPython):
    """The same for an index that only SQL can describe: `name`, and what follows it in CREATE."""

    def __init__(self, name: str, *, on: str, unique: bool = False) -> None:
        def build(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
            build_index(schema_editor, name, on=on, unique=unique)

        def drop(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")

        super().__init__(build, drop)


class RemoveIndexBesideWriters(RemoveIndexConcurrently):
    """Drops the index, if an earlier try has not done it."""

    def database_forwards(self, *arguments: Any, **named: Any) -> None:
        editor: BaseDatabaseSchemaEditor = arguments[1]
        with patience(editor):
            if _is_valid(editor, editor.quote_name(self.name)) is not None:
                super().database_forwards(*arguments, **named)

    def database_backwards(self, *arguments: Any, **named: Any) -> None:
        with patience(arguments[1]):
            super().database_backwards(*arguments, **named)


@contextmanager
def patience(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """Inside, the connection waits longer for a lock than others do."""
    schema_editor.execute(f"SET lock_timeout = '{PATIENCE}'")
    try:
        yield
    finally:
        schema_editor.execute("RESET lock_timeout")


def build_index(
    schema_editor: BaseDatabaseSchemaEditor, name: str, *, on: str, unique: bool = False
) -> None:
    """Builds the index unless it is there and whole. `on` is the table, columns and condition."""
    kind = "UNIQUE INDEX" if unique else "INDEX"
    with patience(schema_editor):
        if not _is_whole(schema_editor, name):
            schema_editor.execute(f"CREATE {kind} CONCURRENTLY {name} ON {on}")


def _is_whole(schema_editor: BaseDatabaseSchemaEditor, quoted_name: str) -> bool:
    """Whether there is such an index that works; one that does not goes."""
    is_valid = _is_valid(schema_editor, quoted_name)
    if is_valid is False:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY {quoted_name}")
    return bool(is_valid)


def _is_valid(schema_editor: BaseDatabaseSchemaEditor, quoted_name: str) -> bool | None:
    """None where there is no such index."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_IS_VALID, [quoted_name])
        row = cursor.fetchone()
    return row[0] if row else None
