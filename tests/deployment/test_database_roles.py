"""The role that serves can book, but can change neither the past nor what protects it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from devstack.layout import ROOT
from devstack.roles import Roles
from tests.journeys.stack import own_database

BOOK_AND_CANCEL = """
import sys
import django
django.setup()
from django.utils import timezone
from bookings.appointments.services.changes import cancel_appointment
from bookings.engine.services import release_hold
from tests.bookings.acts import as_patient, book, bookable, take
from tests.factories import DoctorFactory, SpecialtyFactory, UserFactory, make_patient

for factory in (DoctorFactory, SpecialtyFactory, UserFactory):
    factory.reset_sequence(int(sys.argv[1]))  # another run has left its rows
holder = as_patient(make_patient())
visit_type, slots = bookable()
visit = book(slots[0], visit_type=visit_type, holder=holder)
visit = cancel_appointment(
    appointment_id=visit.pk, by=holder, version=visit.version, now=timezone.now()
)
hold = take(slots[1], visit_type=visit_type, holder=holder)
release_hold(hold_id=hold.pk, holder=holder)
print(visit.status)
"""

ALL_THAT_BEAT_STARTS = """
import django
django.setup()
from django.conf import settings
from docbook.celery import app
app.loader.import_default_modules()
for name in sorted({entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}):
    app.tasks[name].apply(throw=True)
    print(name)
"""


@dataclass(frozen=True)
class Database:
    """A database that its owner has migrated, and how each of three roles reaches it."""

    url: str
    roles: Roles

    @property
    def environment(self) -> dict[str, str]:
        return self.roles.environment(self.url)

    @contextmanager
    def serving(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            yield connection

    def owning(self) -> psycopg.Connection:
        return psycopg.connect(self.environment["MIGRATION_DATABASE_URL"], autocommit=True)

    def as_superuser(self, statement: str) -> list[tuple[object, ...]]:
        names = {"owner": sql.Identifier(self.roles.owner), "app": sql.Identifier(self.roles.app)}
        with psycopg.connect(self.url, autocommit=True) as connection:
            done = connection.execute(sql.SQL(statement).format(**names))
            return done.fetchall() if done.description else []

    def run(self, *arguments: str, **changes: str) -> str:
        """The output of this Python, connected like a serving process."""
        environment = {"DJANGO_SETTINGS_MODULE": "docbook.settings.dev", **self.environment}
        done = subprocess.run(
            [sys.executable, *arguments],
            env=os.environ | environment | changes,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with own_database(os.environ["DATABASE_URL"]) as (url, roles):
        made = Database(url=url, roles=roles)
        made.run("manage.py", "migrate", "--no-input", "--verbosity", "0")
        yield made


def test_role_that_serves_books_and_cancels(database):
    assert database.run("-c", BOOK_AND_CANCEL, "1").split() == ["cancelled"]


def test_role_that_serves_runs_all_that_beat_starts(database):
    done = database.run("-c", ALL_THAT_BEAT_STARTS).split()
    assert {"audit.seal", "bookings.make_partitions", "bookings.check_all_invariants"} <= set(done)


@pytest.mark.parametrize("command", ["verify_audit", "check_invariants", "make_partitions"])
def test_role_that_serves_runs_the_commands_of_operators(database, command):
    assert database.run("manage.py", command)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE audit_auditevent DISABLE TRIGGER audit_events_are_append_only",
        "ALTER TABLE audit_auditseal DISABLE TRIGGER ALL",
        "ALTER TABLE bookings_appointment DISABLE TRIGGER USER",
        "DROP TRIGGER audit_events_are_append_only ON audit_auditevent",
        "SET session_replication_role = replica",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "TRUNCATE audit_auditevent",
        "TRUNCATE audit_auditseal",
        "TRUNCATE bookings_hold CASCADE",
        "UPDATE audit_auditevent SET action = 'nothing'",
        "DELETE FROM audit_auditevent",
        "UPDATE audit_auditseal SET digest = ''",
        "DELETE FROM audit_auditseal",
        "DROP TABLE audit_auditevent",
        "DROP TABLE bookings_hold CASCADE",
        "DROP FUNCTION audit_refuse_change() CASCADE",
        "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE sql AS ''",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE audit_auditevent (id int)",
        "CREATE SCHEMA mine",
        "CREATE TRIGGER mine BEFORE INSERT ON audit_auditevent EXECUTE FUNCTION lower('')",
        "ALTER TABLE bookings_appointment DROP CONSTRAINT bookings_appointment_pkey",
        "SELECT setval(pg_get_serial_sequence('audit_auditevent', 'id'), 1)",
    ],
)
def test_role_that_serves_is_refused(database, statement):
    with (
        database.serving() as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_role_that_serves_cannot_become_the_owner(database):
    with database.serving() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SET ROLE {database.roles.owner}")


def test_role_that_serves_makes_a_month_and_its_rows_are_its_own(database):
    month = (datetime.now(UTC) + timedelta(days=600)).date().replace(day=1)
    table = f"bookings_appointment_{month:%Y_%m}"
    make = "SELECT bookings_make_appointment_month(%s)"
    with database.serving() as connection:
        assert connection.execute(make, [month]).fetchall() == [(True,)]
        assert connection.execute(make, [month]).fetchall() == [(False,)]
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"TRUNCATE {table}")


@pytest.mark.parametrize("days", [-3000, 3000])
def test_role_that_serves_makes_no_month_that_nobody_can_book(database, days):
    month = (datetime.now(UTC) + timedelta(days=days)).date()
    with database.serving() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT bookings_make_appointment_month(%s)", [month])


# Tables with their indexes and sequences, functions, and types; not those of extensions.
NOT_THE_OWNERS = """
SELECT name FROM (
    SELECT oid, oid::regclass::text AS name, relnamespace AS schema, relowner AS owner FROM pg_class
    UNION ALL SELECT oid, proname, pronamespace, proowner FROM pg_proc
    UNION ALL SELECT oid, typname, typnamespace, typowner FROM pg_type
    WHERE typcategory <> 'A'  -- a type's array goes with it
) made
WHERE schema = 'public'::regnamespace AND owner::regrole::text NOT LIKE '%_owner'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = made.oid AND deptype = 'e')
"""


def test_database_that_a_superuser_has_made_goes_to_the_owner(database):
    database.as_superuser("REASSIGN OWNED BY {owner} TO CURRENT_USER")
    database.as_superuser("DROP OWNED BY {app}, {owner}")
    assert len(database.as_superuser(NOT_THE_OWNERS)) > 100

    database.roles.make(database.url)
    database.roles.make(database.url)

    assert database.as_superuser(NOT_THE_OWNERS) == []
    assert database.run("-c", BOOK_AND_CANCEL, "100").split() == ["cancelled"]
    with database.serving() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM audit_auditevent")


def said_by_the_check(database: Database, **changes: str) -> str:
    return database.run("manage.py", "check", "--deploy", "--database", "default", **changes)


def test_deployment_check_names_a_role_that_can_switch_the_triggers_off(database):
    assert "audit.W001" in said_by_the_check(database, DATABASE_URL=database.url)
    owner = database.environment["MIGRATION_DATABASE_URL"]
    assert "audit.W002" in said_by_the_check(database, DATABASE_URL=owner)
    said = said_by_the_check(database)
    assert "audit.W" not in said


def test_deployment_check_names_a_role_that_may_change_the_audit(database):
    database.as_superuser("GRANT UPDATE ON audit_auditseal TO {app}")
    try:
        assert "audit.W003" in said_by_the_check(database)
    finally:
        database.as_superuser("REVOKE UPDATE ON audit_auditseal FROM {app}")
