"""Years of past visits with all rows that belong to them, written by the database in minutes.

`ROWS` names the columns of each table, so a migration that adds a table or a column extends it
here. Everything else of this module stays as it is.

Visit number n is at the n-th of equally spaced moments, on a grid of 20 minutes. No doctor and no
patient has two visits at once. Each visit was booked one to seven days before, by its patient, and
nobody marked it: so the night counted it as missed.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from devstack.console import say
from proof.plan import SLOTS_A_DAY
from proof.stack import Stack

YEARS = 5
AT_ONCE = 200_000  # visits in one transaction; between two of them, Ctrl-C is heard

_AGREED: Mapping[str, str] = {
    "visit_name": "visit.visit_name",
    "mode": "visit.mode",
    "price_cents": "visit.price_cents",
    "currency": "visit.currency",
    "place_name": "visit.place_name",
    "street": "visit.street",
    "postcode": "visit.postcode",
    "city": "visit.city",
    "country": "visit.country",
    "directions": "visit.directions",
    "time_zone": "visit.time_zone",
}


@dataclass(frozen=True)
class Rows:
    """One row for each visit `where` this is true, or for each pair with a row of `also`. Columns
    and the SQL of their values; the columns of `visit` are those of past_visits() below.
    """

    table: str
    columns: Mapping[str, str]
    also: str = ""
    where: str = "true"


# The longest work first.
ROWS: Sequence[Rows] = (
    Rows(
        "audit_auditevent",
        {
            "at": "event.at",
            "action": "event.action",
            "actor_kind": "event.kind",
            "actor_id": "CASE event.kind WHEN 'patient' THEN visit.patient_id END",
            "object_type": "split_part(event.action, '.', 1)",
            "object_id": "visit.id::text",
            "before": "event.before",
            "after": "event.after",
            "request_id": "md5(visit.n::text || event.at)",
            # Below every real transaction, and rising.
            "xact": "3 * (visit.n - visit.last_n - 1) + event.step",
        },
        also="""
            LATERAL (VALUES
                (0, visit.held_at, 'hold.created', 'patient', '{}'::jsonb,
                 jsonb_build_object('slots', ARRAY[visit.slot_id], 'state', 'held')),
                (0, visit.held_at, 'hold.code_requested', 'patient', '{}', '{"resends": 0}'),
                (1, visit.confirmed_at, 'appointment.confirmed', 'patient', '{}',
                 '{"status": "confirmed", "version": 1}'),
                (2, visit.missed_at, 'appointment.no_show', 'system',
                 '{"status": "confirmed", "version": 1}', '{"status": "no_show", "version": 2}')
            ) AS event (step, at, action, kind, before, after)""",
    ),
    Rows(
        "bookings_appointment",
        {
            "id": "visit.id",
            "doctor_id": "visit.doctor_id",
            "clinic_id": "visit.clinic_id",
            "visit_type_id": "visit.visit_type_id",
            "patient_id": "visit.patient_id",
            "patient_name": "visit.first_name || ' ' || visit.last_name",
            "starts_at": "visit.starts_at",
            "ends_at": "visit.ends_at",
            "status": "'no_show'",
            "version": "2",
            "reason": "''",
            "created_at": "visit.confirmed_at",
            "changed_at": "visit.missed_at",
            "changed_by_kind": "'system'",
            **_AGREED,
        },
    ),
    Rows(
        "bookings_hold",
        {
            "id": "visit.id",
            "doctor_id": "visit.doctor_id",
            "clinic_id": "visit.clinic_id",
            "visit_type_id": "visit.visit_type_id",
            "patient_id": "visit.patient_id",
            "slot_ids": "ARRAY[visit.slot_id]",
            "starts_at": "visit.starts_at",
            "ends_at": "visit.ends_at",
            "first_name": "visit.first_name",
            "last_name": "visit.last_name",
            "email": "visit.email",
            "phone": "''",
            "reason": "''",
            "state": "'confirmed'",
            "created_at": "visit.held_at",
            "expires_at": "visit.held_at + interval '5 minutes'",
            "code_sent_at": "visit.held_at",
            "otp_attempts": "0",
            "otp_resends": "0",
            "made_from": "hashint8extended(visit.n, 0)",
            **_AGREED,
        },
    ),
    # Booked slots are kept for thirty days.
    Rows(
        "doctors_slot",
        {
            "id": "visit.slot_id",
            "doctor_id": "visit.doctor_id",
            "clinic_id": "visit.clinic_id",
            "mode": "'any'",
            "starts_at": "visit.starts_at",
            "ends_at": "visit.ends_at",
            "state": "'booked'",
            "hold_id": "visit.id",
        },
        where="visit.ends_at > now() - interval '30 days'",
    ),
    # Messages and their deliveries are kept for a week.
    Rows(
        "outbox_outboxmessage",
        {
            "topic": "message.topic",
            "aggregate_id": "visit.id::text",
            "payload": "message.payload",
            "created_at": "message.at",
            "next_attempt_at": "message.at",
            "done_at": "message.at + interval '2 seconds'",
            "attempts": "1",
            "handed_out": "1",
            "last_error": "''",
        },
        also="""
            LATERAL (VALUES
                ('otp.requested', visit.held_at,
                 jsonb_build_object('resend', '0', 'hold_id', visit.id)),
                ('appointment.confirmed', visit.confirmed_at,
                 jsonb_build_object('version', '1', 'appointment_id', visit.id))
            ) AS message (topic, at, payload)""",
        where="visit.held_at > now() - interval '7 days'",
    ),
    Rows(
        "bookings_patientvisit",
        {
            "patient_id": "visit.patient_id",
            "starts_at": "visit.starts_at",
            "ends_at": "visit.ends_at",
            "appointment_id": "visit.id",
        },
        where="visit.ends_at > now() - interval '7 days'",
    ),
)

_DELIVERED = """
UPDATE outbox_outboxmessage SET done_at = now(), attempts = 1, handed_out = 1
WHERE coalesce(done_at, dead_at) IS NULL;
INSERT INTO outbox_outboxdelivery (message_id, channel, copies, delivered_at)
SELECT message.id, 'email', 1, message.done_at FROM outbox_outboxmessage AS message
WHERE message.done_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM outbox_outboxdelivery AS delivery WHERE delivery.message_id = message.id);
"""

# What past_visits() needs. Slots have ids far from those of real ones.
_PREPARATION = """
CREATE UNLOGGED TABLE past_doctor AS
SELECT row_number() OVER (ORDER BY doctor.id) - 1 AS number, doctor.id AS doctor_id,
    doctor.clinic_id, type.id AS visit_type_id, type.name AS visit_name, type.mode,
    type.price_cents, type.currency, clinic.name AS place_name, clinic.street, clinic.postcode,
    clinic.city, clinic.country, clinic.directions, clinic.time_zone
FROM doctors_doctor AS doctor JOIN doctors_clinic AS clinic ON clinic.id = doctor.clinic_id
JOIN doctors_visittype AS type ON type.doctor_id = doctor.id AND type.slots = 1;

CREATE UNLOGGED TABLE past_patient AS
SELECT row_number() OVER (ORDER BY id) - 1 AS number, id AS patient_id, first_name, last_name, email
FROM accounts_user WHERE email LIKE 'patient-%';

ANALYZE past_doctor, past_patient;

CREATE FUNCTION past_visits(first bigint, last bigint) RETURNS TABLE (
    n bigint, last_n bigint, id uuid, slot_id bigint, doctor_id bigint, clinic_id bigint,
    visit_type_id bigint, patient_id bigint, first_name text, last_name text, email text,
    starts_at timestamptz, ends_at timestamptz, held_at timestamptz, confirmed_at timestamptz,
    missed_at timestamptz, visit_name text, mode text, price_cents integer, currency text,
    place_name text, street text, postcode text, city text, country text, directions text,
    time_zone text
) LANGUAGE sql STABLE AS $$
SELECT visit.n, {visits}::bigint,
    -- A UUIDv7 of that millisecond.
    (lpad(to_hex((extract(epoch FROM visit.held_at) * 1000)::bigint), 12, '0')
        || '70008000' || lpad(to_hex(visit.n), 12, '0'))::uuid,
    1000000000 + visit.n, doctor.doctor_id, doctor.clinic_id,
    doctor.visit_type_id, patient.patient_id, patient.first_name, patient.last_name, patient.email,
    visit.starts_at, visit.starts_at + interval '20 minutes',
    visit.held_at, visit.held_at + interval '1 minute',
    visit.starts_at + interval '4 hours 20 minutes',
    doctor.visit_name, doctor.mode, doctor.price_cents, doctor.currency,
    doctor.place_name, doctor.street, doctor.postcode, doctor.city, doctor.country,
    doctor.directions, doctor.time_zone
FROM (
    SELECT begun.n, starts_at, starts_at - (1440 + begun.n % 8640) * interval '1 minute' AS held_at
    FROM (
        SELECT cell.n, '{begin}'::timestamptz + cell.number / {slots_a_day} * interval '1 day'
            + cell.number % {slots_a_day} * interval '20 minutes' AS starts_at
        FROM (
            SELECT series.n, floor((series.n - 0.5) * {cells} / {visits})::bigint AS number
            FROM generate_series(first, last) AS series (n)
        ) AS cell
    ) AS begun
) AS visit
JOIN past_doctor AS doctor ON doctor.number = visit.n % {doctors}
JOIN past_patient AS patient ON patient.number = (visit.n + visit.n / {doctors}) % {patients}
ORDER BY visit.n
$$;
"""

_AFTERWARDS = """
DROP FUNCTION past_visits;
DROP TABLE past_doctor, past_patient;
"""

_INSERT = """
INSERT INTO {table} ({columns})
SELECT {values} FROM past_visits(%(first)s, %(last)s) AS visit {also} WHERE {where}
"""

# Those that no constraint needs; of a partitioned table none, because its parts have them too.
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE indrelid = %s::regclass AND relkind = 'r'
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""

_SESSION = """
SET session_replication_role = replica; -- these rows are right, so no trigger needs to look
SET synchronous_commit = off;
SET maintenance_work_mem = '1GB';
SET work_mem = '128MB';
"""


def write_past(stack: Stack, *, visits: int, doctors: int, patients: int) -> None:
    """For a database with these doctors and patients, but without visits."""
    database_url, check = stack.database_url, stack.workshop.interrupts.check
    today = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0)
    days = round(YEARS * 365.25)
    begin = today - timedelta(days=days + 1)  # so the last visits are over, and counted as missed
    values = {"visits": visits, "doctors": doctors, "patients": patients}
    preparation = _PREPARATION.format(
        begin=begin.isoformat(), cells=days * SLOTS_A_DAY, slots_a_day=SLOTS_A_DAY, **values
    )
    with _session(database_url) as connection:
        for month in _months(begin, today):
            connection.execute("SELECT bookings_make_appointment_month(%s)", [month])
        connection.execute(preparation.encode())
    with ThreadPoolExecutor(3) as pool:  # the three large tables at once
        for written in [pool.submit(_write, database_url, rows, visits, check) for rows in ROWS]:
            written.result()
    deliver_messages(database_url)
    with _session(database_url) as connection:
        connection.execute(_AFTERWARDS)
        connection.execute("VACUUM (ANALYZE, PARALLEL 2)")
        connection.execute("CHECKPOINT")


def deliver_messages(database_url: str) -> None:
    """Leaves all messages as a worker would: delivered, each with its delivery."""
    with _session(database_url) as connection:
        connection.execute(_DELIVERED)


def _session(database_url: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(database_url, autocommit=True)
    connection.execute(_SESSION)
    return connection


def _months(begin: datetime, end: datetime) -> Iterator[date]:
    month = begin.date().replace(day=1)
    while month <= end.date():
        yield month
        month = (month + timedelta(days=32)).replace(day=1)


def _write(database_url: str, rows: Rows, visits: int, check: Callable[[], None]) -> None:
    begun = time.monotonic()
    statement = _INSERT.format(
        table=rows.table,
        columns=", ".join(rows.columns),
        values=", ".join(rows.columns.values()),
        also=f", {rows.also}" if rows.also else "",
        where=rows.where,
    ).encode()
    with _session(database_url) as connection:
        indexes = connection.execute(_INDEXES, [rows.table]).fetchall()
        for name, _definition in indexes:
            connection.execute(f"DROP INDEX {name}".encode())
        for first in range(1, visits + 1, AT_ONCE):
            check()
            last = min(visits, first + AT_ONCE - 1)
            connection.execute(statement, {"first": first, "last": last})
        for _name, definition in indexes:
            connection.execute(definition.encode())
    say(f"  {rows.table}: {time.monotonic() - begun:.0f} s")
