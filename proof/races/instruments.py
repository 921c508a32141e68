"""Makes the functions of a throw-away database stop before each statement that touches a table.

Their text is read from the database and changed there, so any version of them can be explored. A
caller that stops says so in a notice, then waits for an advisory lock that the director holds.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from docbook.postgres.rows import rows_of
from proof.races.footprints import Catalogue, Footprint, bare

# Names of the settings, locks and notices. Nobody else uses these numbers as keys.
KEY = 1_299
NOTICE = "stops at "
SETTING = "races.caller"

# What stands in a notice between two slots that a statement locks one after the other.
SLOT = "slot"

_STOP = f"""
CREATE FUNCTION races_stop(place text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    caller text := coalesce(current_setting('{SETTING}', true), '');
    lock_ integer;
BEGIN
    IF caller <> '' THEN
        -- A number that no rollback takes back.
        lock_ := {KEY} + 10 * caller::integer + nextval('races_turns_' || caller) % 2;
        RAISE NOTICE '{NOTICE}%', place;
        PERFORM pg_advisory_lock_shared({KEY}, lock_);
        PERFORM pg_advisory_unlock_shared({KEY}, lock_);
    END IF;
END $$;
CREATE FUNCTION races_goes_on(place text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM races_stop(place);
    RETURN true;
END $$
"""
_LOCKS_SLOTS = re.compile(
    r"\A(SELECT id|PERFORM) FROM (doctors_slot\b.*\bFOR UPDATE)\s*\Z", re.DOTALL
)
# A function that only reads sees what the statement sees that calls it: nothing comes between.
_FUNCTIONS = """
SELECT pg_proc.oid::integer, proname, pg_get_functiondef(pg_proc.oid),
    lanname = 'plpgsql' AND provolatile = 'v' AND prorettype <> 'trigger'::regtype
FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND lanname IN ('plpgsql', 'sql')
  AND NOT starts_with(proname, 'races_')
ORDER BY proname, pronargs
"""

_TOKEN = re.compile(
    r"\bEND\s+(?:IF|LOOP|CASE)\b|\b(?:CASE|END|BEGIN|THEN|ELSE|LOOP)\b|[();]", re.IGNORECASE
)
_NO_STATEMENT = re.compile(r"(?:END|ELSIF|ELSE|WHEN|EXCEPTION|DECLARE)\b", re.IGNORECASE)
_BOUNDARIES = frozenset({";", "BEGIN", "THEN", "ELSE", "LOOP"})


@dataclass(frozen=True)
class Place:
    """A statement of a function."""

    function: str
    line: int
    footprint: Footprint

    def __str__(self) -> str:
        return f"{self.function}:{self.line}"


Change = Callable[[str], str]


@contextmanager
def stopping_functions(catalogue: Catalogue, *, change: Change) -> Iterator[Mapping[str, Place]]:
    """Every function of the database stops inside the block; yields the places by their name in
    notices. Sessions without the setting do not stop. `change` is made to each statement.
    """
    before = rows_of(_FUNCTIONS)
    catalogue.instrumented |= {name for _oid, name, _text, stops in before if stops}
    places = {SLOT: Place("each slot", 0, Footprint(changes=frozenset({"doctors_slot"})))}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE races_turns_0 MINVALUE 0 START 0")
        cursor.execute("CREATE SEQUENCE races_turns_1 MINVALUE 0 START 0")
        cursor.execute(_STOP)
        for oid, name, text, stops in before:
            changed = _changed(text, change)
            if stops:
                changed, found = with_stops(changed, name=name, oid=oid, catalogue=catalogue)
                places |= found
            if changed != text:
                cursor.execute(changed)
    try:
        yield places
    finally:
        with connection.cursor() as cursor:
            for _oid, _name, text, _stops in before:
                cursor.execute(text)
            cursor.execute("DROP FUNCTION races_goes_on(text); DROP FUNCTION races_stop(text)")
            cursor.execute("DROP SEQUENCE races_turns_0, races_turns_1")


def slot_by_slot(statement: str) -> str:
    """Stops after each slot that it locks: the next one may be locked by the other."""
    return _LOCKS_SLOTS.sub(_with_stops_between, statement)


def _with_stops_between(match: re.Match[str]) -> str:
    verb, rows = match.groups()
    wanted = "SELECT" if verb == "PERFORM" else verb
    # OFFSET 0 keeps the planner from asking before the row is locked.
    return f"{verb} FROM ({wanted} FROM {rows} OFFSET 0) AS locked WHERE races_goes_on('{SLOT}')"


def _changed(text: str, change: Change) -> str:
    """Statement by statement in PL/pgSQL, and what it declares; a function in SQL as a whole."""
    if "LANGUAGE plpgsql" not in text:
        head, mark, body = text.partition("AS $")
        return head + mark + change(body)
    head, mark, body = text.partition("AS $")
    declared = re.search(r"\bBEGIN\b", bare(body))
    assert declared is not None  # noqa: S101 - PL/pgSQL has no body without it
    text = head + mark + change(body[: declared.start()]) + body[declared.start() :]
    parts, done = [], 0
    for begin, end in statements(text):
        parts += [text[done:begin], change(text[begin:end])]
        done = end
    return "".join([*parts, text[done:]])


def with_stops(
    text: str, *, name: str, oid: int, catalogue: Catalogue
) -> tuple[str, dict[str, Place]]:
    """The definition with a stop before each statement that touches a table, and the places."""
    places: dict[str, Place] = {}
    parts: list[str] = []
    done = 0
    for number, (begin, end) in enumerate(statements(text)):
        footprint = catalogue.footprint(text[begin:end])
        if footprint:
            key = f"{oid}.{number}"
            places[key] = Place(name, text.count("\n", 0, begin) + 1, footprint)
            parts += [text[done:begin], f"PERFORM races_stop('{key}'); "]
            done = begin
    return "".join([*parts, text[done:]]), places


def statements(definition: str) -> Iterator[tuple[int, int]]:
    """Where each statement of a PL/pgSQL function begins and ends. Of one with statements inside,
    only its head: the condition of an IF. An ELSIF has no place before it.
    """
    body = definition.index("AS $")
    text = " " * body + bare(definition[body:])
    first = re.search(r"\bBEGIN\b", text)
    assert first is not None  # noqa: S101 - PL/pgSQL has no body without it
    parentheses = cases = 0
    boundary = first.end()
    for token in _TOKEN.finditer(text, boundary):
        word = re.sub(r"\s+", " ", token.group().upper())
        between = text[boundary : token.start()]
        if word in "()":
            parentheses += 1 if word == "(" else -1
        elif word == "CASE" and between.strip():
            cases += 1
        elif word == "END" and cases:
            cases -= 1
        elif word in _BOUNDARIES and not parentheses and not cases:
            begin = boundary + len(between) - len(between.lstrip())
            if between.strip() and not _NO_STATEMENT.match(between.strip()):
                yield begin, token.start()
            boundary = token.end()
