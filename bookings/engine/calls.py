"""The two hot statements, hold and confirm: one database call each.

Their code is in bookings/migrations/sql. Outside a transaction, a call is its own transaction and
one round trip.
"""

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, NamedTuple, overload
from uuid import UUID

import psycopg
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

from docbook.lock_keys import VISITS_OF
from docbook.postgres.rows import rows_of
from doctors.models import VisitType

# Types are named so that a NULL fits and every call has the same signature.
_HOLD = """
SELECT * FROM bookings_hold(
    %s::uuid, %s::bigint, %s::bigint, %s::bigint, %s::uuid, %s::text, %s::text, %s::bigint,
    %s::interval, %s::interval, %s::int, %s::int, %s::int, %s::uuid, %s::uuid, %s::boolean,
    %s::boolean, %s::text, %s::text, %s::text, %s::text, %s::text, %s::text, %s::int, %s::text,
    %s::text)
"""
_CONFIRM = """
SELECT * FROM bookings_confirm(
    %s::uuid, %s::bigint, %s::uuid, %s::bigint, %s::smallint[], %s::int, %s::int, %s::text,
    %s::text, %s::text, %s::text[], %s::int[], %s::boolean)
"""

TRIES = 3
_PASSING = (DeadlockDetected, SerializationFailure)


class HoldResult(NamedTuple):
    """`outcome` is held, replay, or the code of a refusal. The other fields are in
    0019_hold.sql.
    """

    outcome: str
    doctor_id: int
    clinic_id: int
    slot_ids: list[int]
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    lapsed: list[int] | None
    amount: int
    other_id: UUID
    other_starts_at: datetime
    until: datetime | None
    words: str
    location: str


class HoldCall(NamedTuple):
    """The parameters of `bookings_hold`, in order."""

    hold_id: UUID
    slot_id: int
    visit_type_id: int
    patient_id: int | None
    guest_key: UUID | None
    holder_key: str
    actor_kind: str
    address: int | None
    term: timedelta
    resend_after: timedelta
    most_of_holder: int
    most_of_address: int
    most_visits: int
    replaces: UUID | None
    waitlist_entry_id: UUID | None
    with_code: bool = False
    by_sms: bool = False
    reason: str = ""
    phone: str = ""
    request_id: str = ""
    key: str | None = None
    route: str | None = None
    fingerprint: str | None = None
    status: int | None = None
    body: str | None = None
    location: str | None = None


class ConfirmResult(NamedTuple):
    """`outcome` is confirmed, account-needed, or the code of a refusal. The other fields are in
    0018_confirm.sql.
    """

    outcome: str
    attempts_left: int
    starts_at: datetime
    slot_ids: list[int] | None
    patient_id: int | None
    guest_key: UUID | None
    email: str
    first_name: str
    last_name: str
    phone: str
    other_id: UUID
    other_starts_at: datetime
    words: str


class ConfirmCall(NamedTuple):
    """The parameters of `bookings_confirm`, in order.

    `matching` are the numbers of the resends whose code was entered. The code itself never goes to
    the database. A wrong code counts once for each of `guessers`, against `own_target` or, if that
    is None, against the mailbox that the code went to. A long code is not refused because of other
    people's guesses.
    """

    hold_id: UUID
    patient_id: int | None
    guest_key: UUID | None
    account_id: int | None
    matching: list[int]
    most_attempts: int
    most_visits: int
    request_id: str
    body: str | None
    own_target: str | None
    guessers: list[str]
    most_guesses: list[int]
    is_long: bool


@overload
def decide(call: HoldCall) -> HoldResult: ...
@overload
def decide(call: ConfirmCall) -> ConfirmResult: ...
def decide(call: HoldCall | ConfirmCall) -> HoldResult | ConfirmResult:
    """The answer of the database. Alone, the call is tried again if the database has ended it to
    resolve a deadlock: nothing was written. Inside a transaction, that is up to the caller. There
    the call runs behind a savepoint, because a refused constraint must not end the transaction.
    """
    statement, result = (
        (_HOLD, HoldResult) if isinstance(call, HoldCall) else (_CONFIRM, ConfirmResult)
    )
    parameters: Any = call
    for tries_left in reversed(range(TRIES)):
        is_alone = not connection.in_atomic_block
        try:
            with (
                nullcontext() if is_alone else transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement, parameters)
                return result(*cursor.fetchone())
        except OperationalError as error:
            if not (is_alone and tries_left and isinstance(error.__cause__, _PASSING)):
                raise
    raise AssertionError  # the last try answers or raises


class Run(NamedTuple):
    """The slots of a visit, with the ones kept free after it, and when and where it would be."""

    slot_ids: list[int]
    clinic_id: int
    starts_at: datetime
    ends_at: datetime


def run_of_slots(visit_type: VisitType, *, first: int) -> Run | None:
    """The slots that bookings_hold takes for a visit that begins with this slot. None if the doctor
    has too few in a row of that mode. It does not check who has them.
    """
    found = rows_of(
        """
        SELECT run.ids, slot.clinic_id, slot.starts_at, run.ends_at
        FROM doctors_slot AS slot, bookings_run_of_slots(slot, %s, %s) AS run
        WHERE slot.id = %s AND slot.doctor_id = %s AND slot.mode IN (%s, 'any')
          AND run.ids IS NOT NULL
        """,
        visit_type.slots,
        visit_type.buffer_slots,
        first,
        visit_type.doctor_id,
        visit_type.mode,
    )
    return Run(*found[0]) if found else None


def lock_and_find_overlap(
    *, patient_id: int, start: datetime, end: datetime, apart_from: UUID
) -> tuple[UUID, datetime] | None:
    """Id and start of an active visit of the patient in [start, end), except this one.
    bookings_confirm looks for it in the same way, once other confirmations of the patient have
    committed.
    """
    rows_of("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", f"{VISITS_OF}{patient_id}")
    [(other, starts_at)] = rows_of(
        "SELECT id, starts_at FROM bookings_busy_with(%s, %s, %s, %s)",
        patient_id,
        start,
        end,
        apart_from,
    )
    return (other, starts_at) if other else None


def broken_constraint(error: IntegrityError) -> str:
    """The name of the constraint that refused what the call itself let pass."""
    cause = error.__cause__
    return (cause.diag.constraint_name or "") if isinstance(cause, psycopg.Error) else ""
