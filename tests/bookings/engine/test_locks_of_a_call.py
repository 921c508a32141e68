"""What a confirmation locks before it decides, as a second connection sees it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from accounts.models import User
from bookings.models import Appointment, Hold
from docbook.postgres.rows import rows_of
from doctors.models import Slot
from tests.bookings.acts import as_patient, attempt, book, bookable, hold_instead
from tests.factories import make_patient

pytestmark = pytest.mark.django_db(transaction=True)

Model = type[Slot] | type[Hold] | type[Appointment]
TABLES: Mapping[Model, str] = {
    Slot: "doctors_slot",
    Hold: "bookings_hold",
    Appointment: "bookings_appointment",
}
NOTHING: dict[Model, set[Any]] = {Slot: set(), Hold: set(), Appointment: set()}


@pytest.fixture
def somebody_else() -> Iterator[psycopg.Connection]:
    with psycopg.connect(**connection.get_connection_params()) as other:
        yield other


def lock_elsewhere(somebody_else: psycopg.Connection, *rows: Slot | Hold | Appointment) -> None:
    for row in rows:
        sql = f"SELECT FROM {TABLES[type(row)]} WHERE id = %s FOR UPDATE"
        somebody_else.execute(sql.encode(), [row.pk])


def locked_here(somebody_else: psycopg.Connection) -> dict[Model, set[Any]]:
    """The rows that they cannot have while our transaction lasts."""
    found = {}
    for model, table in TABLES.items():
        free = f"SELECT id FROM {table} FOR UPDATE SKIP LOCKED".encode()
        left = {id_ for (id_,) in somebody_else.execute(free)}
        found[model] = set(model.objects.values_list("pk", flat=True)) - left
    somebody_else.rollback()
    return found


@contextmanager
def in_a_transaction() -> Iterator[None]:
    """A call that waits for a lock that nobody gives back fails instead."""
    with transaction.atomic():
        rows_of("SELECT set_config('lock_timeout', '2s', true)")
        yield


# -- one hold --


def locked_hold(hold: Hold, *, may_wait: bool) -> UUID | None:
    sql = "SELECT (bookings_locked_hold(hold, %s)).id FROM bookings_hold AS hold WHERE id = %s"
    [(found,)] = rows_of(sql, may_wait, hold.pk)
    return found


def a_move() -> tuple[Appointment, Hold]:
    """A visit of two slots, and the hold that moves it to two others; more slots are free."""
    visit_type, slots = bookable(count=8, slots=2)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    attempt(slots[6], visit_type=visit_type, holder=as_patient(make_patient()))
    return visit, hold_instead(visit, slots[3])


def test_hold_is_locked_with_its_slots_and_those_of_the_visit_that_moves(
    somebody_else: psycopg.Connection,
) -> None:
    visit, hold = a_move()
    with in_a_transaction():
        assert locked_hold(hold, may_wait=True) == hold.pk
        slots = {*hold.slot_ids, *Hold.objects.get(pk=visit.pk).slot_ids}
        assert locked_here(somebody_else) == NOTHING | {Slot: slots, Hold: {hold.pk}}


@pytest.mark.parametrize("may_wait", [True, False])
def test_hold_of_a_new_visit_is_locked_with_its_slots_only(
    somebody_else: psycopg.Connection, may_wait: bool
) -> None:
    visit_type, slots = bookable(count=6, slots=2)
    attempt(slots[3], visit_type=visit_type, holder=as_patient(make_patient()))
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    with in_a_transaction():
        assert locked_hold(hold, may_wait=may_wait) == hold.pk
        expected = NOTHING | {Slot: set(hold.slot_ids), Hold: {hold.pk}}
        assert locked_here(somebody_else) == expected


def test_call_that_may_not_wait_does_without_a_hold_whose_rows_somebody_has(
    somebody_else: psycopg.Connection,
) -> None:
    visit_type, slots = bookable(count=6, slots=2)
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    for row in (slots[0], slots[1], hold):
        lock_elsewhere(somebody_else, row)
        with in_a_transaction():
            assert locked_hold(hold, may_wait=False) is None
        somebody_else.rollback()
    lock_elsewhere(somebody_else, slots[2])
    with in_a_transaction():
        assert locked_hold(hold, may_wait=False) == hold.pk


def test_visit_that_moves_is_locked_and_no_other(somebody_else: psycopg.Connection) -> None:
    visit, _hold = a_move()
    other, _other_hold = a_move()
    with in_a_transaction():
        rows_of("SELECT bookings_lock_visit(%s)::text", visit.pk)
        assert locked_here(somebody_else) == NOTHING | {Appointment: {visit.pk}}
        rows_of("SELECT bookings_lock_visit(NULL)::text")
        assert locked_here(somebody_else) == NOTHING | {Appointment: {visit.pk}}
    assert other.pk != visit.pk


# -- many calls --


def call_for(hold: Hold, *, patient: User | None = None, number: int = 0) -> dict[str, object]:
    return {
        "number": number,
        "hold_id": str(hold.pk),
        "patient_id": patient.pk if patient else hold.patient_id,
        "own_target": None,
    }


def lock_to_confirm(*calls: dict[str, object], may_wait: bool = False) -> list[int]:
    """The numbers of the calls that have what they need."""
    sql = """
        SELECT (unnest(bookings_lock_to_confirm(array(
            SELECT call FROM jsonb_populate_recordset(NULL::bookings_confirm_call, %s) AS call
        ), %s))).number
    """
    numbered = [call | {"number": number} for number, call in enumerate(calls)]
    return [number for (number,) in rows_of(sql, Jsonb(numbered), may_wait)]


def holds(count: int, *, patient: User | None = None) -> list[Hold]:
    """Each of a doctor and, unless it is given, a patient of its own."""
    found = []
    for number in range(count):
        visit_type, slots = bookable(count=count)
        who = patient or make_patient()
        found.append(attempt(slots[number], visit_type=visit_type, holder=as_patient(who)))
    return found


def test_calls_that_have_nothing_to_do_with_each_other_have_their_locks_at_once(
    somebody_else: psycopg.Connection,
) -> None:
    mine = holds(3)
    with in_a_transaction():
        assert lock_to_confirm(*map(call_for, mine)) == [0, 1, 2]
        slots = {slot for hold in mine for slot in hold.slot_ids}
        assert locked_here(somebody_else) == NOTHING | {
            Slot: slots,
            Hold: {hold.pk for hold in mine},
        }


@pytest.mark.parametrize("may_wait", [True, False])
def test_second_call_for_one_hold_and_second_of_one_patient_come_later(may_wait: bool) -> None:
    first, second = holds(2, patient=make_patient())
    [other] = holds(1)
    with in_a_transaction():
        calls = [call_for(each) for each in (first, first, second, other)]
        assert lock_to_confirm(*calls, may_wait=may_wait) == [0, 3]


def test_guesses_at_one_mailbox_come_one_after_the_other() -> None:
    first, second = holds(2)
    with in_a_transaction():
        calls = [call_for(each) | {"own_target": "box"} for each in (first, second)]
        assert lock_to_confirm(*calls) == [0]
        assert lock_to_confirm(calls[0], calls[1] | {"own_target": "another"}) == [0, 1]


def test_call_for_the_hold_of_a_stranger_is_answered_and_locks_nothing(
    somebody_else: psycopg.Connection,
) -> None:
    [hold] = holds(1)
    stranger = call_for(hold, patient=make_patient())
    with in_a_transaction():
        assert lock_to_confirm(stranger, call_for(hold)) == [0, 1]
    with in_a_transaction():
        assert lock_to_confirm(stranger) == [0]
        assert locked_here(somebody_else) == NOTHING


def test_call_whose_rows_somebody_has_comes_later_and_takes_nothing_from_the_others(
    somebody_else: psycopg.Connection,
) -> None:
    first, second = holds(2)
    lock_elsewhere(somebody_else, first)
    with in_a_transaction():
        assert lock_to_confirm(*map(call_for, (first, second))) == [1]


def test_move_is_made_alone_and_locks_the_visit_last(somebody_else: psycopg.Connection) -> None:
    visit, hold = a_move()
    with in_a_transaction():
        assert lock_to_confirm(call_for(hold)) == []
        assert locked_here(somebody_else) == NOTHING
        assert lock_to_confirm(call_for(hold), may_wait=True) == [0]
        found = locked_here(somebody_else)
        assert found[Appointment] == {visit.pk}
        assert found[Hold] == {hold.pk}


def keys(hold: Hold, **call: object) -> list[int]:
    sql = """
        SELECT bookings_keys_of_confirmation(
            hold, jsonb_populate_record(NULL::bookings_confirm_call, %s))
        FROM bookings_hold AS hold WHERE id = %s
    """
    [(found,)] = rows_of(sql, Jsonb(call), hold.pk)
    return list(found)


def test_keys_are_those_that_the_services_lock() -> None:
    """See docbook.lock_keys."""
    [hold] = holds(1)
    [expected] = rows_of(
        "SELECT hashtextextended('guesses-of:box', 0), hashtextextended(%s, 0)",
        f"visits-of:{hold.patient_id}",
    )
    assert keys(hold, own_target="box") == list(expected)


@pytest.mark.parametrize("key", ["guesses-of:box", "visits-of:{patient}"])
def test_call_whose_key_somebody_has_comes_later(
    somebody_else: psycopg.Connection, key: str
) -> None:
    first, second = holds(2)
    somebody_else.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
        [key.format(patient=first.patient_id)],
    )
    with in_a_transaction():
        assert lock_to_confirm(call_for(first) | {"own_target": "box"}, call_for(second)) == [1]


def lock_holders(*calls: dict[str, object]) -> list[int]:
    sql = """
        SELECT (unnest(bookings_lock_holders(array(
            SELECT call FROM jsonb_populate_recordset(NULL::bookings_hold_call, %s) AS call
        ), false))).number
    """
    numbered = [call | {"number": number} for number, call in enumerate(calls)]
    return [number for (number,) in rows_of(sql, Jsonb(numbered))]


def test_holds_of_one_holder_and_of_one_address_come_one_after_the_other(
    somebody_else: psycopg.Connection,
) -> None:
    calls = [
        {"holder_key": "a", "address": 1},
        {"holder_key": "a", "address": 2},
        {"holder_key": "b", "address": 1},
        {"holder_key": "c", "address": 3},
        {"holder_key": "c", "address": 3, "waitlist_entry_id": str(UUID(int=1))},
    ]
    with in_a_transaction():
        assert lock_holders(*calls) == [0, 3, 4]
    somebody_else.execute("SELECT pg_advisory_xact_lock(hashtextextended('a', 0))")
    somebody_else.execute("SELECT pg_advisory_xact_lock(3)")
    with in_a_transaction():
        assert lock_holders(*calls) == [2, 4]
