"""Reads the whole database as it was at one instant, beside people who work on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import OperationalError, connection, transaction


@contextmanager
def one_snapshot(*, patience: str = "0") -> Iterator[None]:
    """All reads inside see the same committed state: nothing half-done, nothing newer.

    No writer waits for its locks. A statement may take as long as `patience`, in PostgreSQL's
    notation, like "60s"; "0" means no limit. It cannot be nested in another transaction, which
    would already have a snapshot.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [patience])
        yield


@contextmanager
def one_snapshot_for_a_command() -> Iterator[None]:
    """Ends with exit code 2 if the database does not answer: that says nothing about the data."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise CommandError(f"The database does not answer: {error}", returncode=2) from error
    with one_snapshot():
        yield
