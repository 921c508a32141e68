"""A check of recent changes reads what was touched, and nothing of the rest."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Max
from django.db.models.functions import Now

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import mark_arrived
from bookings.invariants import invariant, recent, watch
from bookings.invariants.checks import FROM_THE_DATABASE, check_invariants
from bookings.invariants.recent import Look, read_by_index
from bookings.models import Appointment
from docbook.audit.models import AuditEvent
from docbook.observability import metrics
from docbook.outbox.models import OutboxMessage
from docbook.snapshot import one_snapshot
from doctors.models import Slot
from tests.bookings.acts import as_patient, book, bookable
from tests.bookings.invariants.busy import all_is_told, busy
from tests.factories import make_patient, make_user
from tests.journeys.stack import eventually

pytestmark = pytest.mark.django_db(transaction=True)

_TABLES = r"(bookings_hold|bookings_appointment|audit_auditevent)"
# In whole: row by row, or along an index without a condition.
HISTORY = re.compile(
    rf"Seq Scan on {_TABLES}|Index (?:Only )?Scan using \w+_pkey on {_TABLES}.*\n(?!\s*Index Cond)"
)


def look() -> Look:
    with one_snapshot():
        return Look.here()


def look_when_all_are_done() -> Look:
    """Events count as new until the transactions of other tests that ran beside them have ended."""
    newest = AuditEvent.objects.aggregate(Max("xact"))["xact__max"]

    def after() -> Look | None:
        return here if (here := look()).xact > newest else None

    return eventually(after, what="the end of older transactions")


def broken(*, since: Look | None) -> list[str]:
    with one_snapshot():
        return [each.code for each in check_invariants(since=since) if each.is_broken]


def visit_whose_slot_is_open() -> Appointment:
    visit_type, [slot, *_] = bookable()
    visit_type.doctor.user = make_user()
    visit_type.doctor.save()
    visit = book(slot, visit_type=visit_type, holder=as_patient(make_patient()))
    all_is_told()
    Slot.objects.filter(pk=slot.pk).update(state="open", hold_id=None)
    return visit


def test_what_was_wrong_before_is_seen_at_night_and_when_it_is_touched(monkeypatch) -> None:
    # As if the visit had been made long ago.
    monkeypatch.setattr(recent, "CLOCKS_DIFFER", -timedelta(hours=1))
    visit = visit_whose_slot_is_open()
    since = look_when_all_are_done()
    assert broken(since=since) == []
    assert broken(since=None) == ["I05"]
    mark_arrived(
        appointment_id=visit.pk,
        by=PracticeMember(visit.doctor.user),
        version=1,
        now=visit.starts_at,
    )
    assert broken(since=since) == ["I05"]


def test_message_that_was_given_up_stays_in_sight_while_looks_move_on() -> None:
    """Otherwise each look would read more than the one before, until it takes too long."""
    visit_type, [slot, *_] = bookable()
    book(slot, visit_type=visit_type, holder=as_patient(make_patient()))
    all_is_told()
    watch.look_at_everything()
    begin = watch.last_look()
    given_up = OutboxMessage.objects.filter(topic="appointment.confirmed")
    given_up.update(done_at=None, dead_at=Now())
    watch.look_at_changes()
    assert watch.last_look() != begin
    watch.look_at_changes()
    assert shown("I08") == 1
    given_up.update(done_at=Now(), dead_at=None)
    watch.look_at_changes()
    assert shown("I08") == 0


def test_look_that_finds_what_the_next_would_miss_is_taken_again_from_its_beginning() -> None:
    watch.look_at_everything()
    begin = watch.last_look()
    visit_type, [slot, other, *_] = bookable()
    book(slot, visit_type=visit_type, holder=as_patient(make_patient()))
    book(other, visit_type=visit_type, holder=as_patient(make_patient()))
    all_is_told()
    first, second = OutboxMessage.objects.filter(topic="appointment.confirmed")
    OutboxMessage.objects.filter(pk=first.pk).update(done_at=None, dead_at=Now())
    second.deliveries.update(delivered_at=None)
    watch.look_at_changes()
    assert watch.last_look() == begin
    assert shown("I08") == 2
    second.deliveries.update(delivered_at=Now())
    watch.look_at_changes()
    assert watch.last_look() != begin
    assert shown("I08") == 1


def test_what_the_night_found_stays_until_it_is_mended() -> None:
    visit_whose_slot_is_open()
    watch.look_at_everything()
    watch.look_at_changes()
    assert shown("I05") == 1


def test_no_query_of_the_recent_look_reads_a_table_of_the_past_whole() -> None:
    busy()
    with one_snapshot():
        here = Look.here()
        read_by_index()
        plans = {each.code: plan(each, since=here) for each in FROM_THE_DATABASE}
    assert {code: found for code, text in plans.items() if (found := HISTORY.findall(text))} == {}


def test_look_joins_by_index_even_if_the_planner_expects_many_changes() -> None:
    """Without nested loops it would read a table whole to join it."""
    busy()
    with one_snapshot():
        here = Look.here()
        read_by_index()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_nestloop = off")
        plans = {each.code: plan(each, since=here) for each in FROM_THE_DATABASE}
    assert {code: found for code, text in plans.items() if (found := HISTORY.findall(text))} == {}


def plan(promise: invariant.Invariant, *, since: Look) -> str:
    sql, words = invariant.query(promise.sql, given=promise.given, since=since)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", words)
        return "\n".join(row[0] for row in cursor.fetchall())


def shown(code: str) -> int:
    found = re.search(rf'invariant="{code}"}} ([0-9.]+)', metrics.exposition().decode())
    return int(float(found[1])) if found else 0
