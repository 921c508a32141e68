"""Asks the database what it refuses. Each sentence must have a test that breaks it."""

import pkgutil
import re
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

import tests.constraints
from tests.constraints.registry import BROKEN, without_month

OURS = ("accounts", "doctors", "bookings", "http", "outbox", "audit")

# Names given by Django or PostgreSQL begin with the table's name, or end with a digest.
_GIVEN_BY_DJANGO = re.compile(r"_[0-9a-f]{8}_(uniq|check|like)$")

_NAMES = """
WITH our_tables AS (
    SELECT oid, relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
      AND relname LIKE ANY (%(prefixes)s)
)
SELECT relname, conname FROM pg_constraint JOIN our_tables AS t ON t.oid = conrelid
WHERE contype IN ('c', 'u', 'x')
UNION
SELECT relname, indexrelid::regclass::text FROM pg_index JOIN our_tables AS t ON t.oid = indrelid
WHERE indisunique AND NOT indisprimary
UNION
SELECT relname, tgname FROM pg_trigger JOIN our_tables AS t ON t.oid = tgrelid
WHERE NOT tgisinternal
"""


def sentences() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, {"prefixes": [f"{app}\\_%" for app in OURS]})
        return {
            without_month(name)
            for table, name in cursor.fetchall()
            if not name.startswith(without_month(table)) and not _GIVEN_BY_DJANGO.search(name)
        }


@pytest.fixture(scope="module")
def tested() -> set[str]:
    for module in pkgutil.iter_modules(tests.constraints.__path__):
        import_module(f"tests.constraints.{module.name}")
    return set(BROKEN)


@pytest.mark.django_db
def test_every_constraint_is_broken_by_a_test(tested):
    assert sentences() - tested == set()


@pytest.mark.django_db
def test_no_test_is_left_for_a_constraint_that_is_gone(tested):
    assert tested - sentences() == set()


@pytest.mark.django_db
def test_constraints_that_live_in_sql_alone_are_among_them():
    assert {
        "no_overlapping_visits_of_a_patient",
        "appointment_status_follows_the_state_machine",
        "audit_events_are_append_only",
        "one_user_per_email",
    } <= sentences()


@pytest.mark.django_db
def test_every_constraint_of_a_model_is_in_the_database():
    declared = {
        constraint.name
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for constraint in model._meta.constraints
    }
    assert declared <= sentences()
