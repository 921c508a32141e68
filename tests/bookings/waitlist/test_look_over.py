"""The look over the waitlist: nobody waits forever, and a long line costs nobody."""

from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from bookings.models import Hold, WaitlistEntry
from bookings.waitlist import selectors
from bookings.waitlist.selectors import free_times_near
from bookings.waitlist.services import look_over
from bookings.waitlist.services.look_over import offer_free_times
from bookings.waitlist.services.offers import decline_offer
from docbook.lock_keys import LOOK_OVER_WAITLIST
from doctors.models import Slot, VisitType
from tests.bookings.waitlist.acts import awaited, in_daylight, in_line
from tests.factories import make_clinic, make_doctor, make_slots, make_visit_type, tomorrow_at
from tests.factories import make_waitlist_entry as make_entry

pytestmark = pytest.mark.django_db


def lone_gaps(visit_type: VisitType, *, count: int) -> datetime:
    """This many free slots with nothing beside them; returns when the last one ends."""
    start = tomorrow_at(6, days=2)
    for number in range(count):
        (slot,) = make_slots(doctor=visit_type.doctor, starts_at=start + timedelta(hours=number))
    return slot.ends_at


@pytest.mark.parametrize("count", [19, 20, 45])
def test_time_that_fits_is_found_behind_any_number_of_lone_gaps(count: int) -> None:
    visit_type, _slots = awaited(count=0, slots=2)
    pair = make_slots(
        doctor=visit_type.doctor,
        starts_at=lone_gaps(visit_type, count=count) + timedelta(days=2),
        count=2,
    )
    in_line(visit_type, count=1)
    (offer,) = offer_free_times(now=in_daylight())
    assert offer.slot_ids == [slot.pk for slot in pair]


def test_declined_times_use_up_no_tries() -> None:
    visit_type, slots = awaited(count=22)
    (entry,) = in_line(visit_type, count=1)
    for slot in slots:
        (offer,) = offer_free_times(now=in_daylight())
        assert offer.slot_ids == [slot.pk]
        decline_offer(offer_id=offer.pk, patient=entry.patient)
    assert offer_free_times(now=in_daylight()) == []


def test_specialty_is_looked_for_week_by_week_in_its_city_only() -> None:
    visit_type, _slots = awaited(count=0)
    doctor, leiden = visit_type.doctor, make_clinic(city="Leiden")
    lone_gaps(visit_type, count=3)
    Slot.objects.update(clinic=leiden)
    (later,) = make_slots(doctor=doctor, starts_at=tomorrow_at(days=20))
    entry = make_entry(doctor=None, specialty=doctor.specialty, city="Utrecht")
    WaitlistEntry.objects.update(until_on=tomorrow_at(days=30).date())
    (offer,) = offer_free_times(now=in_daylight())
    assert (offer.waitlist_entry, offer.slot_ids) == (entry, [later.pk])


def queries_of_a_look() -> int:
    with CaptureQueriesContext(connection) as captured:
        assert offer_free_times(now=in_daylight()) == []
    return len(captured)


def test_each_entry_costs_few_queries_however_many_times_are_free() -> None:
    """If nothing suits: two for the line, two for the lock, then two for each entry."""
    visit_type, _slots = awaited(count=30)
    for line in (5, 10):
        WaitlistEntry.objects.all().delete()
        in_line(visit_type, count=line, day_from=time(22))
        assert queries_of_a_look() <= 4 + 2 * line


def test_each_entry_of_a_specialty_costs_few_queries_however_many_doctors_there_are() -> None:
    visit_type, _slots = awaited(count=30)
    specialty = visit_type.doctor.specialty
    for number in range(4):
        other = make_doctor(specialty=specialty, clinic=visit_type.doctor.clinic)
        make_visit_type(doctor=other)
        make_slots(doctor=other, starts_at=tomorrow_at(days=2 + number), count=10)
    for _ in range(3):
        make_entry(doctor=None, specialty=specialty, city="Utrecht", day_from=time(22))
    assert queries_of_a_look() <= 4 + 3 * 6


def seen_by_runs(monkeypatch, *, runs: int) -> list[list[WaitlistEntry]]:
    """The entries that each run looks at, each of which takes all its time."""
    monkeypatch.setattr(look_over, "MOST_TIME", timedelta())
    seen: list[list[WaitlistEntry]] = []
    monkeypatch.setattr(look_over, "_look_at", lambda entry, now: seen[-1].append(entry))
    for _ in range(runs):
        seen.append([])
        offer_free_times(now=in_daylight())
    return seen


def test_nothing_more_is_read_for_an_entry_that_wants_none_of_the_starts() -> None:
    """However many doctors are free: their times are not read."""
    visit_type, (slot,) = awaited()
    doctor = visit_type.doctor
    weekday = slot.starts_at.astimezone(doctor.clinic.zone).weekday()
    entry = make_entry(doctor=None, specialty=doctor.specialty, city="Utrecht")
    for weekdays, expected in (([(weekday + 1) % 7], 0), ([weekday], 1)):
        entry.weekdays = weekdays
        with CaptureQueriesContext(connection) as captured:
            assert len(list(free_times_near(entry, now=in_daylight()))) == expected
        assert (len(captured) == 1) is (expected == 0)


def test_run_that_takes_too_long_ends_and_the_next_goes_on_behind_it(monkeypatch) -> None:
    visit_type, _slots = awaited()
    first, second, third = in_line(visit_type, count=3)
    seen = seen_by_runs(monkeypatch, runs=5)
    assert seen == [[first], [second], [third], [], [first]]


def test_long_line_of_whom_nothing_suits_keeps_nobody_waiting(monkeypatch) -> None:
    monkeypatch.setattr(look_over, "MOST_TIME", timedelta())
    visit_type, slots = awaited(count=2)
    unlucky = in_line(visit_type, count=4, day_from=time(22))
    (last,) = in_line(visit_type, count=1)
    WaitlistEntry.objects.filter(pk=last.pk).update(
        created_at=unlucky[-1].created_at + timedelta(minutes=1)
    )
    runs = [offer_free_times(now=in_daylight()) for _ in range(5)]
    assert runs[:4] == [[]] * 4
    [offer] = runs[4]
    assert (offer.waitlist_entry, offer.slot_ids) == (last, [slots[0].pk])


def test_line_that_is_longer_than_a_batch_is_looked_at_in_one_run(monkeypatch) -> None:
    monkeypatch.setattr(selectors, "BATCH", 2)
    visit_type, _slots = awaited(count=5)
    line = in_line(visit_type, count=5)
    offers = offer_free_times(now=in_daylight())
    assert [offer.waitlist_entry for offer in offers] == line


def test_entry_that_ends_a_run_keeps_nobody_behind_it_waiting(monkeypatch) -> None:
    visit_type, _slots = awaited(count=2)
    broken, other = in_line(visit_type, count=2)
    look_at = look_over._look_at

    def fail(entry: WaitlistEntry, *, now: datetime) -> Hold | None:
        if entry == broken:
            raise RecursionError
        return look_at(entry, now=now)

    monkeypatch.setattr(look_over, "_look_at", fail)
    with pytest.raises(RecursionError):
        offer_free_times(now=in_daylight())
    [offer] = offer_free_times(now=in_daylight())
    assert offer.waitlist_entry == other


@pytest.mark.django_db(transaction=True)
def test_time_that_somebody_keeps_locked_keeps_no_other_entry_waiting() -> None:
    (busy, (locked,)), (visit_type, _slots) = awaited(), awaited()
    (waiting,) = in_line(busy, count=1)
    (entry,) = in_line(visit_type, count=1)
    other = connection.copy()
    try:
        with other.cursor() as cursor, capture_logs() as logs:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM doctors_slot WHERE id = %s FOR UPDATE", [locked.pk])
            [offer] = offer_free_times(now=in_daylight())
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert offer.waitlist_entry == entry
    (said,) = logs
    assert (said["event"], said["entry_id"]) == ("waitlist_entry_not_looked_at", str(waiting.pk))
    [offer] = offer_free_times(now=in_daylight())
    assert offer.slot_ids == [locked.pk]


def test_short_line_is_looked_at_as_a_whole_by_every_run() -> None:
    visit_type, _slots = awaited(count=2)
    for _ in range(2):
        in_line(visit_type, count=1)
        assert len(offer_free_times(now=in_daylight())) == 1


def test_two_runs_do_not_overlap() -> None:
    visit_type, _slots = awaited()
    in_line(visit_type, count=1)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(look_over._BEGIN, LOOK_OVER_WAITLIST)
            assert offer_free_times(now=in_daylight()) == []
            cursor.execute(look_over._END, LOOK_OVER_WAITLIST)
    finally:
        other.close()
    assert not Hold.objects.exists()
    assert len(offer_free_times(now=in_daylight())) == 1


def test_run_ends_before_the_next_begins(settings) -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE["look-over-waitlist"]
    assert schedule["schedule"] > look_over.MOST_TIME
