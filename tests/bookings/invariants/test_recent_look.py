"""A check of recent changes reads what was touched, and nothing of the rest."""

import re
from datetime import timedelta

import pytest
from django.db import connection

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import mark_arrived
from bookings.invariants import invariant, recent, watch
from bookings.invariants.checks import FROM_THE_DATABASE, check_invariants
from bookings.invariants.recent import Look, read_by_index
from bookings.models import Appointment
from docbook.observability import metrics
from docbook.snapshot import one_snapshot
from doctors.models import Slot
from tests.bookings.acts import as_patient, book, bookable
from tests.bookings.invariants.busy import all_is_told, busy
from tests.factories import make_patient, make_user

pytestmark = pytest.mark.django_db(transaction=True)

HISTORY = re.compile(r"Seq Scan on (bookings_hold|bookings_appointment|audit_auditevent)")


def look() -> Look:
    with one_snapshot():
        return Look.here()


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
    since = look()
    assert broken(since=since) == []
    assert broken(since=None) == ["I05"]
    mark_arrived(
        appointment_id=visit.pk,
        by=PracticeMember(visit.doctor.user),
        version=1,
        now=visit.starts_at,
    )
    assert broken(since=since) == ["I05"]


def test_look_that_finds_something_is_taken_again_from_the_same_beginning() -> None:
    watch.look_at_everything()
    begin = watch.last_look()
    visit = visit_whose_slot_is_open()
    watch.look_at_changes()
    assert watch.last_look() == begin
    assert shown("I05") == 1
    Slot.objects.filter(starts_at=visit.starts_at).update(state="booked", hold_id=visit.pk)
    watch.look_at_changes()
    assert watch.last_look() != begin
    assert shown("I05") == 0


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


def plan(promise: invariant.Invariant, *, since: Look) -> str:
    sql, words = invariant.query(promise.sql, given=promise.given, since=since)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", words)
        return "\n".join(row[0] for row in cursor.fetchall())


def shown(code: str) -> int:
    found = re.search(rf'invariant="{code}"}} ([0-9.]+)', metrics.exposition().decode())
    return int(float(found[1])) if found else 0
