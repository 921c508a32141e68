"""How the processes are connected to the database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection, connections
from psycopg.postgres import types
from psycopg.pq import Format

from devstack.layout import ROOT
from docbook.postgres.base import DatabaseWrapper

TIMESTAMPTZ = types["timestamptz"].oid

# Runs manage.py with a command line of which only the connection is looked at.
SHOW_TIMEOUTS = """
import runpy, sys
from django.core import management

def show(argv):
    import django
    from django.db import connection
    django.setup()
    with connection.cursor() as cursor:
        for name in ("statement_timeout", "lock_timeout"):
            print(cursor.execute(f"SHOW {name}").fetchone()[0])
    connection.close_pool()

management.execute_from_command_line = show
sys.argv[0] = "manage.py"
runpy.run_path("manage.py", run_name="__main__")
"""


def url_of_the_test_database() -> str:
    ours = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(ours._replace(path=f"/{connection.settings_dict['NAME']}"))


def timeouts_of(*command: str, **environment: str) -> list[str]:
    """The statement's and the lock's, as the server knows them."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW_TIMEOUTS, *command],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": url_of_the_test_database(),
            "DJANGO_SETTINGS_MODULE": "docbook.settings.dev",
        }
        | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.split()


@pytest.mark.django_db
def test_statement_ends_after_five_seconds():
    assert timeouts_of("sweep_holds") == ["5s", "2s"]


@pytest.mark.django_db
def test_statement_timeout_is_a_setting():
    assert timeouts_of("sweep_holds", DATABASE_STATEMENT_TIMEOUT_MS="7000") == ["7s", "2s"]


@pytest.mark.django_db
def test_migration_may_take_its_time_and_still_waits_for_no_lock():
    timeouts = timeouts_of("migrate", "--no-input", DATABASE_STATEMENT_TIMEOUT_MS="7000")
    assert timeouts == ["0", "2s"]


@pytest.fixture
def pooled(db) -> Iterator[DatabaseWrapper]:
    """Connected like the product; the tests themselves have no pool."""
    options = connection.settings_dict["OPTIONS"] | {"pool": {"min_size": 1, "max_size": 1}}
    wrapper = DatabaseWrapper(connection.settings_dict | {"OPTIONS": options}, alias="pooled")
    connections["pooled"] = wrapper
    yield wrapper
    wrapper.close()
    wrapper.close_pool()
    del connections["pooled"]


def test_request_after_a_restart_of_the_database_gets_a_live_connection(pooled):
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    pooled.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (pid,)


def test_live_connection_is_handed_out_without_a_query(pooled):
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    pooled.close()

    with pooled.cursor(), connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid])
        assert cursor.fetchone() == ("SELECT pg_backend_pid()",)


def test_connection_with_a_notice_waiting_is_still_good(pooled):
    with pooled.cursor() as cursor:
        cursor.execute("LISTEN a_channel")
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    raw = pooled.connection
    pooled.close()
    with psycopg.connect(**connection.get_connection_params()) as another:
        another.execute("NOTIFY a_channel")

    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() == (pid,)
    assert raw.closed is False


def test_moments_are_read_by_the_driver_and_bear_utc(pooled):
    with pooled.cursor() as cursor:
        cursor.execute("SELECT timestamptz '2027-03-28 02:30+01'")
        (moment,) = cursor.fetchone()

        loader = pooled.connection.adapters.get_loader(TIMESTAMPTZ, Format.TEXT)

    assert loader.__module__ == "psycopg_binary._psycopg"
    assert moment == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert moment.tzinfo is UTC
