"""The rows of a situation, put back before each schedule, and a picture of what became of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from django.db import connection
from psycopg import sql

from docbook.postgres.rows import rows_of

# What migrations have written, and no act changes.
_FIXED = frozenset(
    {"django_migrations", "django_content_type", "auth_permission", "django_admin_log"}
)


@dataclass(frozen=True)
class SavedRows:
    """All rows of all tables, as they were."""

    tables: tuple[str, ...]

    def restore(self) -> None:
        """Without triggers, so the audit cannot refuse to forget."""
        delete, insert = "DELETE FROM {0};", "INSERT INTO {0} SELECT * FROM races_saved.{0};"
        _run(*_for_each(self.tables, delete), *_for_each(self.tables, insert))


def empty(tables: Iterable[str]) -> None:
    """Before the next situation."""
    _run(
        sql.SQL("DROP SCHEMA IF EXISTS races_saved CASCADE; CREATE SCHEMA races_saved;"),
        *_for_each(_kept(tables), "DELETE FROM {0};"),
    )


def save(tables: Iterable[str]) -> SavedRows:
    kept = _kept(tables)
    _run(*_for_each(kept, "CREATE UNLOGGED TABLE races_saved.{0} AS TABLE {0};"))
    return SavedRows(kept)


def _kept(tables: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(tables) - _FIXED))


def _for_each(tables: Iterable[str], statement: LiteralString) -> list[sql.Composed]:
    return [sql.SQL(statement).format(sql.Identifier(name)) for name in tables]


def _run(*statements: sql.Composable) -> None:
    """All in one round trip, with triggers and foreign keys switched off."""
    before = sql.SQL("SET session_replication_role = replica;")
    after = sql.SQL("SET session_replication_role = DEFAULT;")
    with connection.cursor() as cursor:
        cursor.execute(sql.Composed([before, *statements, after]).as_string())


_HOLDS = """
SELECT id::text, patient_id, guest_key::text, slot_ids, state, otp_attempts, otp_resends,
    code_sent_at IS NOT NULL, replaces::text, waitlist_entry_id IS NOT NULL
FROM bookings_hold ORDER BY created_at, id
"""


def picture(people: Mapping[object, str]) -> tuple[str, ...]:
    """Everything that people could notice later, with names instead of ids and without times, in
    the same words for every order that leads to it.
    """
    names = {str(key): name for key, name in people.items()}
    slots = {
        pk: f"{doctor} {starts_at:%H:%M}"
        for pk, doctor, starts_at in rows_of("SELECT id, doctor_id, starts_at FROM doctors_slot")
    }
    doctors = sorted({name.split()[0] for name in slots.values()}, key=int)
    places = {
        pk: f"{'ABCD'[doctors.index(name.split()[0])]}{name.split()[1]}"
        for pk, name in slots.items()
    }
    lines = [*_holds(names, places)]
    lines += [
        f"slot {places[pk]} is {state}" + (f" by {names.get(owner, '?')}" if owner else "")
        for pk, state, owner in rows_of("SELECT id, state, hold_id::text FROM doctors_slot")
    ]
    lines += [
        f"visit {names.get(pk, '?')} is {status}, version {version}, by {kind or 'nobody'}"
        for pk, status, version, kind in rows_of(
            "SELECT id::text, status, version, changed_by_kind FROM bookings_appointment"
        )
    ]
    lines += [
        f"{names.get(str(patient), '?')} is {state} in the waitlist"
        for patient, state in rows_of("SELECT patient_id, state FROM bookings_waitlistentry")
    ]
    lines += [
        f"audit: {actor} {action} {names.get(about, '')}"
        for actor, action, about in rows_of(
            "SELECT actor_kind, action, object_id FROM audit_auditevent"
        )
    ]
    lines += [
        f"message: {topic} {names.get(about, '')} {_payload(payload, names)}"
        for topic, about, payload in rows_of(
            "SELECT topic, aggregate_id, payload FROM outbox_outboxmessage"
        )
    ]
    lines += [
        f"{count} wrong codes" for (count,) in rows_of("SELECT count FROM accounts_codeguesses")
    ]
    lines += [f"{count} accounts" for (count,) in rows_of("SELECT count(*) FROM accounts_user")]
    return tuple(sorted(lines))


def _holds(names: dict[str, str], places: Mapping[int, str]) -> Iterator[str]:
    """Names each hold by who has it and where; and the visit that came of it, which has its id."""
    rows = rows_of(_HOLDS)
    used: dict[str, int] = {}
    for pk, patient, guest, slot_ids, *_rest in rows:
        who = names.get(str(guest)) or names.get(str(patient)) or "a guest"
        name = f"{who}@{places.get(slot_ids[0], '?')}"
        used[name] = used.get(name, 0) + 1
        names[pk] = name if used[name] == 1 else f"{name} again"
    for pk, _patient, _guest, slot_ids, state, attempts, resends, sent, moves, offer in rows:
        yield (
            f"hold {names[pk]} of {len(slot_ids)} is {state}, {attempts} wrong, {resends} resent"
            f"{', code sent' if sent else ''}{f', moves {names.get(moves)}' if moves else ''}"
            f"{', offer' if offer else ''}"
        )


def _payload(payload: Any, names: Mapping[str, str]) -> str:
    found = json.loads(payload) if isinstance(payload, str) else payload
    ids = ("hold_id", "appointment_id", "previous_id")
    return " ".join(
        f"{key}={names.get(str(value), '?') if key in ids else value}"
        for key, value in sorted(found.items())
        if key not in ("slot_ids", "doctor_id")
    )
