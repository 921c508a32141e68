"""Functions of the database are what the files say, and each way of changing them is migrated."""

import pytest
from django.db import connection

from devstack import functions
from devstack.functions import PLACES, Functions, written
from devstack.refusals import Refusal
from tests.database_functions import definition_of

OLD = """\
-- A pair.
CREATE TYPE lab_pair AS (
    a integer
);

CREATE TYPE lab_pairs AS (
    first lab_pair
);

CREATE FUNCTION lab_first(pair lab_pair) RETURNS integer LANGUAGE sql AS $$
    SELECT pair.a
$$;

CREATE FUNCTION lab_twice(a integer) RETURNS integer LANGUAGE sql AS $$
    SELECT 2 * a
$$;
"""
NEW = """\
CREATE TYPE lab_pair AS (
    a integer,
    b integer
);

CREATE TYPE lab_pairs AS (
    first lab_pair
);

CREATE FUNCTION lab_first(pair lab_pair) RETURNS integer LANGUAGE sql AS $$
    SELECT pair.b
$$;

CREATE FUNCTION lab_twice(number integer) RETURNS bigint LANGUAGE sql AS $$
    SELECT 2 * number::bigint
$$;
"""


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
@pytest.mark.parametrize("app", PLACES)
def test_database_has_the_functions_of_the_files(app: str) -> None:
    """PostgreSQL checks the bodies as well, which the migrations leave out."""
    for name, found in written(app).functions.items():
        migrated = definition_of(name)
        run(found.group().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
        assert definition_of(name) == migrated


@pytest.mark.parametrize("app", PLACES)
def test_no_function_is_longer_than_a_page(app: str) -> None:
    for name, found in written(app).functions.items():
        statement = found.group()
        lines = statement[statement.index("CREATE") :].splitlines()
        assert len(lines) <= 40, name


@pytest.mark.django_db
def test_change_of_types_and_signatures_leads_there_and_back() -> None:
    old, new = Functions.of(OLD), Functions.of(NEW)
    run(Functions({}, {}).change_to(old))
    run(old.change_to(new))
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_first(ROW(1, 2)::lab_pair), lab_twice(number => 4)")
        assert cursor.fetchone() == (2, 8)
    run(new.change_to(old))
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_first(ROW(1)::lab_pair), lab_twice(a => 4)")
        assert cursor.fetchone() == (1, 8)
    run(old.change_to(Functions({}, {})))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'lab\\_%%'")
        assert cursor.fetchone() == (0,)


def test_migration_holds_what_is_new_and_nothing_else() -> None:
    old = Functions.of(OLD)
    new = Functions.of(OLD.replace("SELECT 2 * a", "SELECT a + a"))
    change = old.change_to(new)
    assert "SELECT a + a" in change
    assert "lab_first" not in change
    assert "DROP" not in change


def test_files_hold_nothing_but_types_and_functions(tmp_path, monkeypatch) -> None:
    (tmp_path / "more.sql").write_text(f"{OLD}\nDROP TABLE doctors_slot;\n")
    monkeypatch.setattr(functions, "PLACES", {"lab": (str(tmp_path), "")})
    with pytest.raises(Refusal, match="DROP TABLE doctors_slot"):
        written("lab")
