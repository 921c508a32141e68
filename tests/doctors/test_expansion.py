"""Rules → slot rows: complete, idempotent, and careful with taken slots."""

from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from uuid_utils.compat import uuid7

from doctors.models import Slot, SlotState
from doctors.services.expansion import KEPT_FOR, expand_slots, purge_old_slots
from doctors.tasks import expand_all_slots
from tests.factories import (
    make_clinic,
    make_closed_day,
    make_doctor,
    make_override,
    make_rule,
    make_slots,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)  # Monday, 07:00 in Utrecht


def expand(doctor, *, now=NOW, days=None):
    return expand_slots(doctor_ids=[doctor.pk], now=now, days=days)


def grid(doctor) -> list[tuple]:
    columns = ("starts_at", "ends_at", "state", "clinic_id", "mode")
    return list(Slot.objects.filter(doctor=doctor).order_by("starts_at").values_list(*columns))


def starts(doctor, **conditions) -> list[str]:
    slots = Slot.objects.filter(doctor=doctor, **conditions).order_by("starts_at")
    return [f"{slot.starts_at:%d %H:%M}" for slot in slots]


def take(slot, state=SlotState.BOOKED) -> Slot:
    """The row as a booking leaves it; the booking itself does not matter here."""
    slot.state = state
    slot.hold_id = None if state == SlotState.BLOCKED else uuid7()
    in_five_minutes = timezone.now() + timedelta(minutes=5)
    slot.held_until = in_five_minutes if state == SlotState.HELD else None
    slot.save()
    return slot


def test_rules_become_slots_for_the_horizon_of_the_doctor():
    doctor = make_doctor(slot_minutes=30, horizon_days=3)
    make_rule(doctor=doctor, starts=time(9), ends=time(10))
    result = expand(doctor)
    assert (result.doctors, result.added, result.removed) == (1, 6, 0)
    assert starts(doctor) == [
        "23 08:00",
        "23 08:30",
        "24 08:00",
        "24 08:30",
        "25 08:00",
        "25 08:30",
    ]


def test_slots_take_clinic_and_mode_of_their_rule():
    doctor = make_doctor(slot_minutes=60, horizon_days=1)
    lisbon = make_clinic(time_zone="Europe/Lisbon", city="Lisboa", country="PT")
    make_rule(doctor=doctor, starts=time(9), ends=time(10), mode="video")
    make_rule(doctor=doctor, starts=time(14), ends=time(15), clinic=lisbon)
    expand(doctor)
    assert [(row[0].hour, *row[3:]) for row in grid(doctor)] == [
        (8, doctor.clinic_id, "video"),
        (14, lisbon.pk, "any"),
    ]


def test_today_is_the_day_of_the_clinic_and_not_of_utc():
    auckland = make_clinic(time_zone="Pacific/Auckland", country="NZ")
    doctor = make_doctor(slot_minutes=60, horizon_days=1, clinic=auckland)
    make_rule(doctor=doctor, starts=time(9), ends=time(10))
    expand(doctor, now=datetime(2026, 11, 23, 12, tzinfo=UTC))  # the 24th, 01:00 there
    assert starts(doctor) == ["23 20:00"]


def test_times_that_are_over_are_not_made():
    doctor = make_doctor(slot_minutes=30, horizon_days=1)
    make_rule(doctor=doctor, starts=time(9), ends=time(11))
    expand(doctor, now=datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
    assert starts(doctor) == ["23 09:00", "23 09:30"]


def test_a_second_run_changes_nothing():
    doctor = make_doctor(horizon_days=10)
    make_rule(doctor=doctor)
    expand(doctor)
    before = list(Slot.objects.order_by("pk").values_list())
    result = expand(doctor)
    assert (result.added, result.removed) == (0, 0)
    assert list(Slot.objects.order_by("pk").values_list()) == before


def test_the_horizon_rolls_on_with_the_days():
    doctor = make_doctor(slot_minutes=60, horizon_days=2)
    make_rule(doctor=doctor, starts=time(9), ends=time(10))
    expand(doctor)
    result = expand(doctor, now=NOW + timedelta(days=1))
    assert (result.added, result.removed) == (1, 0)
    assert starts(doctor) == ["23 08:00", "24 08:00", "25 08:00"]


def test_weeks_a_and_b_take_turns():
    doctor = make_doctor(slot_minutes=60, horizon_days=22)
    fields = {"doctor": doctor, "weekdays": [0], "every_weeks": 2, "ends": time(10)}
    make_rule(**fields, valid_from=date(2026, 11, 23))
    make_rule(**(fields | {"starts": time(14), "ends": time(15)}), valid_from=date(2026, 11, 30))
    expand(doctor)
    assert starts(doctor) == ["23 08:00", "30 13:00", "07 08:00", "14 13:00"]


def test_time_off_takes_open_slots_away_and_leaves_taken_ones():
    doctor = make_doctor(slot_minutes=60, horizon_days=2)
    make_rule(doctor=doctor)
    expand(doctor)
    kept = take(Slot.objects.get(doctor=doctor, starts_at=datetime(2026, 11, 24, 9, tzinfo=UTC)))
    off = make_override(doctor=doctor, first_day=date(2026, 11, 24))
    assert expand(doctor).removed == 2
    assert starts(doctor) == ["23 08:00", "23 09:00", "23 10:00", "24 09:00"]
    off.delete()
    assert expand(doctor).added == 2
    kept.refresh_from_db()
    assert kept.state == "booked"


def test_extra_hours_become_slots_at_their_clinic_in_their_mode():
    doctor = make_doctor(slot_minutes=60, horizon_days=2)
    lisbon = make_clinic(time_zone="Europe/Lisbon", city="Lisboa", country="PT")
    make_override(
        doctor=doctor,
        kind="extra",
        clinic=lisbon,
        first_day=date(2026, 11, 24),
        starts=time(14),
        ends=time(16),
        mode="video",
    )
    expand(doctor)
    assert [(row[0].hour, *row[3:]) for row in grid(doctor)] == [
        (14, lisbon.pk, "video"),
        (15, lisbon.pk, "video"),
    ]


def test_closed_day_of_the_clinic_has_no_slots():
    doctor = make_doctor(slot_minutes=60, horizon_days=2)
    make_rule(doctor=doctor)
    make_closed_day(clinic=doctor.clinic, day=date(2026, 11, 23))
    make_closed_day(clinic=make_clinic(), day=date(2026, 11, 24))
    expand(doctor)
    assert starts(doctor) == ["24 08:00", "24 09:00", "24 10:00"]


def test_overrides_and_closed_days_cost_three_queries_however_many_doctors_there_are():
    def count(doctors: int) -> int:
        made = [make_doctor(horizon_days=3) for _ in range(doctors)]
        for doctor in made:
            make_rule(doctor=doctor)
            make_override(doctor=doctor)
            make_closed_day(clinic=doctor.clinic)
        with CaptureQueriesContext(connection) as queries:
            expand_slots(doctor_ids=[doctor.pk for doctor in made], now=timezone.now())
        return len(queries)

    assert count(2) == count(12)


def test_open_slots_that_no_rule_makes_any_more_are_removed():
    doctor = make_doctor(slot_minutes=60, horizon_days=1)
    rule = make_rule(doctor=doctor, starts=time(9), ends=time(12))
    expand(doctor)
    rule.starts = time(10, 30)
    rule.save()
    result = expand(doctor)
    assert (result.added, result.removed) == (1, 3)
    assert starts(doctor) == ["23 09:30"]


def test_a_rule_that_moves_to_another_clinic_takes_its_free_times_along():
    doctor = make_doctor(horizon_days=2)
    rule = make_rule(doctor=doctor)
    expand(doctor)
    rule.clinic = make_clinic(name="Kliniek Zuid")
    rule.save()
    expand(doctor)
    assert {row[3] for row in grid(doctor)} == {rule.clinic_id}


@pytest.mark.parametrize("state", [SlotState.BOOKED, SlotState.HELD, SlotState.BLOCKED])
def test_what_somebody_has_stays_when_its_rule_goes(state):
    doctor = make_doctor(slot_minutes=60, horizon_days=1)
    rule = make_rule(doctor=doctor)
    expand(doctor)
    taken = take(Slot.objects.order_by("starts_at")[1], state)
    rule.delete()
    assert expand(doctor).removed == 2
    assert list(Slot.objects.all()) == [taken]


def test_a_booked_slot_of_another_length_stays_and_its_neighbours_keep_clear_of_it():
    doctor = make_doctor(slot_minutes=20, horizon_days=1)
    make_rule(doctor=doctor, starts=time(9), ends=time(10))
    expand(doctor)
    take(Slot.objects.get(starts_at=datetime(2026, 11, 23, 8, 20, tzinfo=UTC)))
    doctor.slot_minutes = 15
    doctor.save()
    expand(doctor)
    assert starts(doctor) == ["23 08:00", "23 08:20", "23 08:45"]
    assert expand(doctor).added == 0


def test_overlapping_rules_give_each_time_once():
    doctor = make_doctor(slot_minutes=20, horizon_days=1)
    make_rule(doctor=doctor, starts=time(9), ends=time(10))
    make_rule(doctor=doctor, starts=time(9, 30), ends=time(10, 30))
    assert expand(doctor).added == 4
    assert starts(doctor) == ["23 08:00", "23 08:20", "23 08:40", "23 09:10"]
    assert (expand(doctor).added, expand(doctor).removed) == (0, 0)


def test_an_inactive_doctor_has_no_open_slots_ahead():
    doctor = make_doctor(slot_minutes=60, horizon_days=1)
    make_rule(doctor=doctor)
    expand(doctor)
    taken = take(Slot.objects.order_by("starts_at")[0])
    doctor.is_active = False
    doctor.save()
    result = expand(doctor)
    assert (result.added, result.removed) == (0, 2)
    assert list(Slot.objects.all()) == [taken]


def test_the_past_is_left_alone():
    doctor = make_doctor()
    [past] = make_slots(doctor=doctor, starts_at=NOW - timedelta(hours=3))
    assert expand(doctor).removed == 0
    assert list(Slot.objects.all()) == [past]


def test_other_doctors_are_left_alone():
    doctor, colleague = make_doctor(), make_doctor()
    make_rule(doctor=colleague)
    make_slots(doctor=colleague, starts_at=NOW + timedelta(hours=1), count=2)
    expand(doctor)
    assert Slot.objects.filter(doctor=colleague).count() == 2


def test_fewer_days_leave_alone_what_lies_beyond_them():
    doctor = make_doctor(slot_minutes=60, horizon_days=5)
    rule = make_rule(doctor=doctor, starts=time(9), ends=time(10))
    expand(doctor)
    rule.starts, rule.ends = time(11), time(12)
    rule.save()
    result = expand(doctor, days=2)
    assert (result.added, result.removed) == (2, 2)
    assert starts(doctor) == ["23 10:00", "24 10:00", "25 08:00", "26 08:00", "27 08:00"]


def test_a_shorter_horizon_takes_back_what_is_beyond_it():
    doctor = make_doctor(slot_minutes=60, horizon_days=5)
    make_rule(doctor=doctor, starts=time(9), ends=time(10))
    expand(doctor)
    doctor.horizon_days = 2
    doctor.save()
    assert expand(doctor).removed == 3


@pytest.mark.parametrize(
    ("zone", "country", "now", "counts"),
    [
        ("Europe/Amsterdam", "NL", datetime(2026, 3, 27, 23, tzinfo=UTC), [6, 4, 6]),
        ("Europe/Amsterdam", "NL", datetime(2026, 10, 23, 22, tzinfo=UTC), [6, 8, 6]),
        ("America/New_York", "US", datetime(2026, 3, 7, 5, tzinfo=UTC), [6, 4, 6]),
        ("Asia/Kolkata", "IN", datetime(2026, 3, 27, 18, 30, tzinfo=UTC), [6, 6, 6]),
    ],
)
def test_the_nights_when_clocks_change_have_the_slots_they_have_hours_for(
    zone, country, now, counts
):
    doctor = make_doctor(
        slot_minutes=30, horizon_days=3, clinic=make_clinic(time_zone=zone, country=country)
    )
    make_rule(doctor=doctor, starts=time(1), ends=time(4), valid_from=date(2026, 1, 1))
    expand(doctor, now=now)
    days = [slot[0].astimezone(doctor.clinic.zone).date() for slot in grid(doctor)]
    assert [days.count(day) for day in sorted(set(days))] == counts


def test_all_doctors_are_expanded_in_chunks_with_progress(monkeypatch):
    monkeypatch.setattr("doctors.services.expansion.DOCTORS_A_CHUNK", 2)
    for _ in range(5):
        make_rule(doctor=make_doctor(horizon_days=1, slot_minutes=60))
    seen: list[int] = []
    result = expand_slots(doctor_ids=None, now=NOW, progress=seen.append)
    assert seen == [2, 4, 5]
    assert (result.doctors, result.added) == (5, 15)


def test_the_number_of_queries_does_not_grow_with_the_doctors_of_a_chunk():
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            expand_slots(doctor_ids=None, now=NOW)
        return len(queries)

    counts = []
    for number in (5, 5, 5):
        for _ in range(number):
            make_rule(doctor=make_doctor(horizon_days=2))
        counts.append(count_queries())
    assert len(set(counts)) == 1


def test_an_expansion_may_take_longer_than_a_web_request():
    doctor = make_doctor()
    make_rule(doctor=doctor)
    expand(doctor)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("5min",)


def test_slots_that_ended_more_than_thirty_days_ago_are_deleted_in_batches(monkeypatch):
    monkeypatch.setattr("doctors.services.expansion.PURGED_A_BATCH", 2)
    doctor = make_doctor(slot_minutes=30)
    make_slots(doctor=doctor, starts_at=NOW - KEPT_FOR - timedelta(hours=3), count=5)
    kept = make_slots(doctor=doctor, starts_at=NOW - KEPT_FOR - timedelta(minutes=30), count=2)
    assert purge_old_slots(now=NOW) == 5
    assert list(Slot.objects.order_by("pk")) == kept


def test_the_task_fills_every_horizon_and_purges_what_is_old():
    doctor = make_doctor(horizon_days=2)
    make_rule(doctor=doctor)
    [old] = make_slots(doctor=doctor, starts_at=tomorrow_at(days=-40))
    expand_all_slots()
    assert Slot.objects.filter(doctor=doctor, state=SlotState.OPEN).exists()
    assert not Slot.objects.filter(pk=old.pk).exists()


def test_the_command_expands_one_doctor_and_says_so():
    doctor, colleague = make_doctor(), make_doctor()
    for each in (doctor, colleague):
        make_rule(doctor=each)
    out = StringIO()
    call_command("expand_slots", "--doctor", str(doctor.pk), "--days", "3", stdout=out)
    assert "Doctors: 1 of 1" in out.getvalue()
    assert "Doctors: 1; slots added:" in out.getvalue()
    assert not Slot.objects.filter(doctor=colleague).exists()


def test_the_command_refuses_a_window_without_days():
    with pytest.raises(CommandError, match="from 1 on"):
        call_command("expand_slots", "--days", "0")


@pytest.mark.django_db
def test_slot_of_a_hold_that_is_over_goes_when_no_rule_makes_it_any_more():
    doctor = make_doctor()
    past = timezone.now() - timedelta(minutes=2)
    make_slots(doctor=doctor, state=SlotState.HELD, held_until=past, hold_id=uuid7())
    expand_slots(doctor_ids=[doctor.pk], now=timezone.now())
    assert not Slot.objects.exists()
