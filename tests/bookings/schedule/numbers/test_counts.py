"""The counts of a doctor's days, against going through the whole history."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import mark_arrived
from bookings.engine import refused_times
from bookings.errors import SlotHeld, SlotTaken
from bookings.models import DoctorDay
from bookings.schedule.numbers.services import (
    SLOTS_REACH_BACK,
    add_refusals,
    count_since,
    count_times,
    count_today,
    count_visits,
    recount,
)
from doctors.models import Slot
from doctors.services.expansion import purge_old_slots
from tests.bookings.acts import bookable, guest, take
from tests.bookings.schedule.numbers.history import counted, expected, make_history
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_slots,
    make_user,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db

ZONES = ("Europe/Amsterdam", "Pacific/Auckland", "America/Los_Angeles")
ONE_DAY = timedelta(days=1)


def night_of_change(zone: str) -> datetime:
    """Midnight (UTC) of the next day on which this zone's clocks change."""
    day = datetime.combine(tomorrow_at(days=8).date(), time(0), tzinfo=UTC)
    local = ZoneInfo(zone)
    while (day + ONE_DAY).astimezone(local).utcoffset() == day.astimezone(local).utcoffset():
        day += ONE_DAY
    return day


@pytest.mark.parametrize("number", range(3))
def test_counts_are_those_of_the_history(number: int) -> None:
    rng = Random(number)
    change = night_of_change(ZONES[number])
    clinics = [make_clinic(time_zone=zone) for zone in ZONES]
    hours = [rng.randint(-30, 60) for _ in range(5)]
    starts = sorted({change + timedelta(hours=3 * hour) for hour in hours})
    make_history(rng=rng, clinics=clinics, starts=starts)
    # Some of the history is still to come.
    now = starts[-1] + timedelta(minutes=45)
    recount(now=now)
    period = {"first": now.date() - SLOTS_REACH_BACK * ONE_DAY, "last": now.date() + ONE_DAY}
    assert counted() == expected(**period, now=now)
    assert any(sum(row["lead_days"]) for row in counted().values())


def test_second_count_changes_nothing_and_a_change_only_its_day() -> None:
    now = tomorrow_at(days=12)
    make_history(
        rng=Random(1), clinics=[make_clinic()], starts=[tomorrow_at(days=n) for n in (3, 4)]
    )
    # Two days, each for its times and for its visits.
    assert recount(now=now) == 4
    assert recount(now=now) == 0
    of_first_day = Slot.objects.filter(starts_at__lt=tomorrow_at(0, days=4))
    assert of_first_day.exclude(state="blocked").update(
        state="blocked", hold_id=None, held_until=None
    )
    assert recount(now=now) == 1
    period = {"first": date(2020, 1, 1), "last": date(2999, 1, 1)}
    assert counted() == expected(**period, now=now)


def test_day_that_loses_its_slots_and_visits_counts_none() -> None:
    doctor = make_doctor()
    make_slots(doctor=doctor, count=3)
    now = tomorrow_at(days=3)
    recount(now=now)
    assert DoctorDay.objects.get().offered == 3
    Slot.objects.all().delete()
    assert recount(now=now) == 1
    row = DoctorDay.objects.get()
    assert (row.offered, row.offered_by_hour) == (0, [0] * 24)


def test_time_counts_once_it_has_begun() -> None:
    slots = make_slots(doctor=make_doctor(), count=3)
    count_today(now=slots[1].starts_at)
    assert DoctorDay.objects.get().offered == 2
    count_today(now=slots[2].starts_at)
    assert DoctorDay.objects.get().offered == 3


def test_numbers_stay_when_the_slots_are_deleted() -> None:
    now = tomorrow_at(days=4)
    make_history(rng=Random(2), clinics=[make_clinic()], starts=[tomorrow_at(days=3)])
    recount(now=now)
    before = counted()
    assert sum(row["offered"] for row in before.values())
    for days in range(25, 60):
        later = now + days * ONE_DAY
        purge_old_slots(now=later)
        count_today(now=later)
        recount(now=later)
    count_since(now.date() - 30 * ONE_DAY, now=later)
    assert not Slot.objects.exists()
    assert counted() == before


def test_late_change_of_a_visit_is_found_when_its_slots_are_gone() -> None:
    [slot] = make_slots(doctor=make_doctor())
    visit = make_appointment(slots=[slot], status="no_show", version=2)
    recount(now=slot.starts_at)
    much_later = slot.starts_at + 90 * ONE_DAY
    purge_old_slots(now=much_later)
    mark_arrived(
        appointment_id=visit.pk,
        by=PracticeMember(make_user(is_staff=True)),
        version=2,
        now=much_later,
    )
    recount(now=much_later)
    row = DoctorDay.objects.get()
    assert (row.offered, row.booked, row.no_show, row.came) == (1, 1, 0, 1)


def test_history_from_before_the_first_count_has_visits_without_times() -> None:
    [slot] = make_slots(doctor=make_doctor())
    make_appointment(slots=[slot], status="completed", version=3)
    now = slot.starts_at + 90 * ONE_DAY
    recount(now=now)
    assert not DoctorDay.objects.exists()
    count_since(slot.starts_at.date() - ONE_DAY, now=now)
    row = DoctorDay.objects.get()
    assert (row.offered, row.came) == (0, 1)


def test_command_counts_and_says_how_many_days_changed(capsys) -> None:
    call_command("count_days", "--since", "2026-01-01")
    assert capsys.readouterr().out == "0 changes of days\n"


def test_queries_do_not_grow_with_doctors_and_visits() -> None:
    now = tomorrow_at(days=5)
    numbers = []
    for size in (1, 3):
        clinics = [make_clinic() for _ in range(size)]
        make_history(rng=Random(3), clinics=clinics, starts=[tomorrow_at(days=3)])
        with CaptureQueriesContext(connection) as queries:
            recount(now=now)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]


@pytest.mark.django_db(transaction=True)
def test_two_counts_at_once_give_the_same_as_one() -> None:
    now = tomorrow_at(days=5)
    make_history(rng=Random(4), clinics=[make_clinic()], starts=[tomorrow_at(days=3)])
    together, failures = Barrier(2), []

    def run() -> None:
        try:
            together.wait(10)
            recount(now=now)
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert not failures
    assert counted() == expected(first=date(2020, 1, 1), last=date(2999, 1, 1), now=now)


def test_one_statement_counts_the_asked_days_only() -> None:
    make_slots(doctor=make_doctor(), count=2)
    day = tomorrow_at(days=2).date()
    now = tomorrow_at(days=9)
    assert count_times(first=day + ONE_DAY, last=day + ONE_DAY, now=now) == 0
    assert count_visits(first=day, last=day, now=now) == 0
    assert count_times(first=day, last=day, now=now) == 1


# -- times that were picked too late --


def refused() -> list[tuple[date, int]]:
    return list(DoctorDay.objects.order_by("day").values_list("day", "refused"))


@pytest.mark.django_db(transaction=True)
def test_each_who_came_too_late_counts_once_on_the_day_of_the_time() -> None:
    visit_type, slots = bookable()
    mine = guest()
    take(slots[0], visit_type=visit_type, holder=mine)
    for _ in range(2):
        with pytest.raises(SlotHeld):
            take(slots[0], visit_type=visit_type, holder=guest())
    with pytest.raises(SlotHeld):  # one's own time is nobody else's
        take(slots[0], visit_type=visit_type, holder=mine)
    Slot.objects.filter(pk=slots[1].pk).update(state="blocked")
    with pytest.raises(SlotTaken):
        take(slots[1], visit_type=visit_type, holder=guest())
    local = slots[0].starts_at.astimezone(slots[0].clinic.zone).date()
    assert add_refusals() == 1
    assert refused() == [(local, 3)]
    assert add_refusals() == 0
    with pytest.raises(SlotHeld):
        take(slots[0], visit_type=visit_type, holder=guest())
    assert add_refusals() == 1
    assert refused() == [(local, 4)]


@pytest.mark.django_db(transaction=True)
def test_refusals_wait_for_the_next_task_if_one_could_not_write_them() -> None:
    [slot] = make_slots(doctor=make_doctor())
    refused_times.note(slot.pk)
    with transaction.atomic():
        add_refusals()
        transaction.set_rollback(True)
    assert refused() == []
    refused_times.note(slot.pk)
    assert [add_refusals(), add_refusals(), add_refusals()] == [1, 1, 0]
    assert [number for _day, number in refused()] == [2]


@pytest.mark.django_db(transaction=True)
def test_what_is_counted_anew_keeps_the_refusals_of_its_day() -> None:
    [slot] = make_slots(doctor=make_doctor())
    refused_times.note(slot.pk)
    add_refusals()
    recount(now=slot.ends_at)
    assert [(row.offered, row.refused) for row in DoctorDay.objects.all()] == [(1, 1)]
