"""Writing, sealing and tampering for tests of the audit."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection, transaction

from docbook.audit.models import AuditSeal
from docbook.audit.seals import seal_events
from docbook.audit.services import SYSTEM, record
from docbook.audit.verification import breaks
from docbook.snapshot import one_snapshot
from tests.emptying import allow_emptying

PATIENCE = 120.0


def write_events(count: int) -> list[int]:
    """Writes each in its own transaction, unless the caller has one; returns their ids."""
    return [
        record(action="test.done", by=SYSTEM, on=("test", n), after={"n": n}).pk
        for n in range(count)
    ]


def sealed(event_ids: list[int]) -> None:
    """Seals until all these are sealed. Transactions of other tests on this server delay seals."""
    deadline = time.monotonic() + PATIENCE
    while not AuditSeal.objects.filter(event_ids__contains=[max(event_ids)]).exists():
        assert time.monotonic() < deadline, "somebody's transaction does not end"
        if not seal_events():
            time.sleep(0.02)


def verified() -> list[str]:
    with one_snapshot():
        return [each.sentence for each in breaks()]


@contextmanager
def without_triggers() -> Iterator[None]:
    """The owner of the tables can switch off the triggers that keep them append-only."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in ("audit_auditevent", "audit_auditseal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in ("audit_auditevent", "audit_auditseal"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        allow_emptying()


@contextmanager
def another_connection() -> Iterator[psycopg.Connection]:
    """Next to Django's, with its own commits."""
    given = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(
        **{name: given[name] for name in names if name in given}, autocommit=True
    ) as other:
        yield other
