"""Indexes serve every query of the waitlist, at a release and in its regular check."""

import pytest
from django.db import connection

from bookings.engine.services import announce_release
from bookings.waitlist import selectors as waitlist
from doctors.models import Slot
from tests.bookings.waitlist.acts import awaited, in_daylight, in_line
from tests.scans import read_whole

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_scans() -> None:
    """An empty table is read as a whole, whatever indexes it has."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


def plans(act) -> str:
    """How the database would run each statement of `act`."""
    found = []

    def explain(execute, sql, params, many, context):
        if sql.lstrip().startswith("SELECT"):
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                found.extend(row[0] for row in cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        act()
    return "\n".join(found)


def test_asking_whether_somebody_waits_reads_the_lines_only() -> None:
    _visit_type, (slot,) = awaited()
    act = lambda: announce_release(doctor_id=slot.doctor_id, slot_ids=[slot.pk])  # noqa: E731
    assert read_whole(act) == set()


def test_line_of_a_time_is_read_by_its_indexes() -> None:
    visit_type, (slot,) = awaited()
    in_line(visit_type)
    slot = Slot.objects.select_related("doctor", "clinic").get(pk=slot.pk)
    plan = plans(lambda: list(waitlist.waiting_for(slot)))
    assert "Seq Scan" not in plan
    assert "waitlist_" in plan


def test_look_over_reads_the_line_in_order_and_each_doctors_slots() -> None:
    visit_type, _slots = awaited()
    (entry,) = in_line(visit_type, count=1)
    plan = plans(lambda: list(waitlist.waiting_beside_free_times(now=in_daylight())))
    assert "waitlist_" in plan
    assert "one_slot_per_doctor_and_start" in plan
    assert "Seq Scan" not in plan
    near = plans(lambda: list(waitlist.free_times_near(entry, now=in_daylight())))
    assert "Seq Scan on doctors_slot" not in near


def test_what_somebody_was_offered_is_found_by_the_entry() -> None:
    visit_type, _slots = awaited()
    (entry,) = in_line(visit_type, count=1)
    plan = plans(lambda: waitlist.past_of(entry, now=in_daylight()))
    assert "Seq Scan" not in plan
