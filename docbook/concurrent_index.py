"""Indexes built and dropped beside the writers, by migrations that may run again.

CREATE INDEX CONCURRENTLY waits for every transaction that began before it, such as a long report.
All other migrations give up a lock after two seconds. At that limit the build would fail and leave
an invalid index. Such an index slows every write, answers no query and blocks the next try.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

# It blocks nobody while it waits, so it may wait for a report of half an hour.
PATIENCE = "30min"

_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


class AddIndexBesideWriters(AddIndexConcurrently):
    """Builds the index. Replaces a broken one of that name; keeps a valid one."""

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
    """Drops the index unless an earlier try has dropped it."""

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
    """Inside, the connection waits longer for a lock than usual."""
    schema_editor.execute(f"SET lock_timeout = '{PATIENCE}'")
    try:
        yield
    finally:
        schema_editor.execute("RESET lock_timeout")


def build_index(
    schema_editor: BaseDatabaseSchemaEditor, name: str, *, on: str, unique: bool = False
) -> None:
    """Builds the index unless a valid one exists. `on` is the table, columns and condition."""
    kind = "UNIQUE INDEX" if unique else "INDEX"
    with patience(schema_editor):
        if not _is_whole(schema_editor, name):
            schema_editor.execute(f"CREATE {kind} CONCURRENTLY {name} ON {on}")


def _is_whole(schema_editor: BaseDatabaseSchemaEditor, quoted_name: str) -> bool:
    """Whether a valid index of this name exists. Drops an invalid one."""
    is_valid = _is_valid(schema_editor, quoted_name)
    if is_valid is False:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY {quoted_name}")
    return bool(is_valid)


def _is_valid(schema_editor: BaseDatabaseSchemaEditor, quoted_name: str) -> bool | None:
    """None if there is no such index."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_IS_VALID, [quoted_name])
        row = cursor.fetchone()
    return row[0] if row else None
