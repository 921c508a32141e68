"""The two hot statements, hold and confirm: one database call each, for one request or many.

Their code is in bookings/engine/sql. Outside a transaction, a call is its own transaction and one
round trip.
"""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

import psycopg
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

from bookings.models import Appointment, Hold
from docbook import fibers, shared_calls
from docbook.http.models import IdempotencyRecord
from docbook.lock_keys import VISITS_OF
from docbook.postgres.function_answers import FunctionAnswers
from docbook.postgres.rows import rows_of
from doctors.models import Doctor, VisitType

TRIES = 3
_PASSING = (DeadlockDetected, SerializationFailure)


class HoldCall(NamedTuple):
    """What somebody asks to hold; see `bookings_hold_call` in sql/types.sql."""

    hold_id: UUID
    slot_id: int
    visit_type_id: int
    patient_id: int | None
    guest_key: UUID | None
    holder_key: str
    actor_kind: str
    address: int | None
    seconds: float
    most_of_holder: int
    most_of_address: int
    most_visits: int
    replaces: UUID | None
    waitlist_entry_id: UUID | None
    with_code: bool = False
    reason: str = ""
    phone: str = ""
    request_id: str = ""
    key: str | None = None
    route: str | None = None
    fingerprint: str | None = None
    status: int | None = None


class HoldAnswer(NamedTuple):
    """`outcome` is held, replay, wait, or the code of a refusal. A replay has the record of the
    first request, and the hold that it made, as it is now.
    """

    number: int
    outcome: str
    amount: int
    other_id: UUID
    other_starts_at: datetime
    until: datetime | None
    message: str
    recorded: IdempotencyRecord | None
    hold: Hold | None


class ConfirmCall(NamedTuple):
    """Who confirms what; see `bookings_confirm_call` in sql/types.sql.

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
    own_target: str | None
    guessers: list[str]
    most_guesses: list[int]
    is_long: bool


class ConfirmAnswer(NamedTuple):
    """`outcome` is confirmed, account-needed, wait, or the code of a refusal. What is confirmed has
    its visit, with its doctor. `hold` is as it was before.
    """

    number: int
    outcome: str
    amount: int
    other_id: UUID
    other_starts_at: datetime
    status: str
    has_ended: bool
    hold: Hold | None
    visit: Appointment | None
    doctor: Doctor | None


_HOLDS = FunctionAnswers(
    "bookings_hold", HoldAnswer, rows={"recorded": IdempotencyRecord, "hold": Hold}
)
_CONFIRMATIONS = FunctionAnswers(
    "bookings_confirm",
    ConfirmAnswer,
    rows={"hold": Hold, "visit": Appointment, "doctor": Doctor},
)


def hold(call: HoldCall) -> HoldAnswer:
    """The answer of the database to one call, which waits for the locks that it needs."""
    return cast("HoldAnswer", _answer_to(call))


def confirm(call: ConfirmCall) -> ConfirmAnswer:
    """The same for a confirmation. Its visit knows its doctor."""
    answer = cast("ConfirmAnswer", _answer_to(call))
    if answer.visit and answer.doctor:
        answer.visit.doctor = answer.doctor
    return answer


def _answer_to(call: Any) -> Any:
    """In a fiber, together with other calls that wait. Alone otherwise, or if it has to wait for
    locks.
    """
    if fibers.is_inside():
        together = _holds_together if isinstance(call, HoldCall) else _confirmations_together
        answer = fibers.wait_for(shared_calls.shared(together).ask(call))
        if answer is not None:
            return answer
    (answer,) = fibers.aside(lambda: _decide([call]))
    return answer


def _holds_together(calls: Sequence[HoldCall]) -> list[HoldAnswer | None]:
    return _decide_together(calls)


def _confirmations_together(calls: Sequence[ConfirmCall]) -> list[ConfirmAnswer | None]:
    return _decide_together(calls)


def _decide_together(calls: Sequence[Any]) -> list[Any]:
    """In the order of the calls; None for one that has to wait for locks."""
    answers = _decide(calls, may_wait=False)
    return [None if answer.outcome == "wait" else answer for answer in answers]


def _decide(calls: Sequence[Any], *, may_wait: bool = True) -> list[Any]:
    """Alone, a call is tried again if the database has ended it to resolve a deadlock: nothing was
    written. Inside a transaction, that is up to the caller. There it runs behind a savepoint,
    because a refused constraint must not end the transaction.
    """
    answers: Any = _HOLDS if isinstance(calls[0], HoldCall) else _CONFIRMATIONS
    given = json.dumps(
        [{"number": number, **call._asdict()} for number, call in enumerate(calls)], default=str
    )
    for tries_left in reversed(range(TRIES)):
        is_alone = not connection.in_atomic_block
        try:
            with nullcontext() if is_alone else transaction.atomic():
                rows = rows_of(answers.statement, calls=given, may_wait=may_wait)
            return [answers.read(row) for row in rows]
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
          AND coalesce(%s = ANY (slot.visit_types), true)
          AND run.ids IS NOT NULL
        """,
        visit_type.slots,
        visit_type.buffer_slots,
        first,
        visit_type.doctor_id,
        visit_type.mode,
        visit_type.pk,
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
        """
        SELECT busy_id, busy_from FROM bookings_other_visits_of(
            patient => %s, from_ => %s, until_ => %s, apart_from => %s, at_ => now())
        """,
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
