"""What the functions of the database answer about the first time of a doctor, at their edges.

test_one_bookable_set.py compares them with Python's rules over many worlds.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from docbook.postgres.rows import rows_of
from doctors.models import Doctor, Slot, VisitType
from tests.factories import make_clinic, make_doctor, make_slots, make_visit_type, tomorrow_at

pytestmark = pytest.mark.django_db

MINUTE, HALF, DAY = timedelta(minutes=1), timedelta(minutes=30), timedelta(days=1)
NOW = tomorrow_at(8)
NINE = tomorrow_at(9)


def somebody(**fields: Any) -> Doctor:
    return make_doctor(slot_minutes=30, min_notice_minutes=0, horizon_days=60, **fields)


def block(slots: list[Slot], *numbers: int, state: str = "booked") -> None:
    hold = {"hold_id": None if state == "blocked" else uuid4(), "held_until": None}
    Slot.objects.filter(pk__in=[slots[n].pk for n in numbers]).update(state=state, **hold)


def hold(slot: Slot, *, until: datetime) -> None:
    Slot.objects.filter(pk=slot.pk).update(state="held", hold_id=uuid4(), held_until=until)


def first(doctor: Doctor, *, at: datetime = NOW, **asked: Any) -> datetime | None:
    """The first start for these wishes; both functions say the same where both are asked."""
    wishes = {"mode": "", "most": None, "currency": "EUR", "city": "", "day": None} | asked
    sql = "SELECT starts_at, time_zone FROM doctors_first_start(%s, %s, %s, %s, %s, %s, %s)"
    found = rows_of(sql, doctor.pk, at, *wishes.values())
    if not wishes["city"] and not wishes["day"]:
        sql = "SELECT starts_at FROM doctors_first_start_at(%s, %s, %s, %s, %s, %s, %s, %s)"
        rules = [doctor.min_notice_minutes, doctor.horizon_days, doctor.most_visits_a_day]
        money = [wishes["mode"], wishes["most"], wishes["currency"]]
        quick = [row[0] for row in rows_of(sql, doctor.pk, *rules, at, *money) if row[0]]
        assert quick == [start for start, _zone in found]
    return found[0][0] if found else None


def test_first_of_the_free_slots_is_named_with_the_clock_of_its_clinic() -> None:
    doctor = somebody()
    make_visit_type(doctor=doctor)
    clinic = make_clinic(time_zone="Asia/Kolkata")
    slots = make_slots(doctor=doctor, starts_at=NINE, count=3, clinic=clinic)
    block(slots, 0)
    sql = "SELECT starts_at, time_zone FROM doctors_first_start(%s, %s, '', NULL, '', '', NULL)"
    assert rows_of(sql, doctor.pk, NOW) == [(slots[1].starts_at, "Asia/Kolkata")]


def test_notice_is_kept_to_the_minute() -> None:
    doctor = somebody()
    make_visit_type(doctor=doctor)
    slots = make_slots(doctor=doctor, starts_at=NINE, count=2)
    doctor.min_notice_minutes = 60
    doctor.save()
    assert first(doctor, at=NINE - 60 * MINUTE) == NINE
    assert first(doctor, at=NINE - 59 * MINUTE) == slots[1].starts_at


def test_time_that_is_held_is_free_when_the_hold_has_expired() -> None:
    doctor = somebody()
    make_visit_type(doctor=doctor)
    [slot] = make_slots(doctor=doctor, starts_at=NINE)
    hold(slot, until=NOW)
    assert first(doctor, at=NOW) == NINE
    assert first(doctor, at=NOW - MINUTE) is None


@pytest.mark.parametrize("state", ["booked", "blocked"])
def test_doctor_without_a_free_slot_or_without_visit_types_has_no_time(state: str) -> None:
    doctor = somebody()
    slots = make_slots(doctor=doctor, starts_at=NINE, count=2)
    assert first(doctor) is None
    make_visit_type(doctor=doctor, is_active=False)
    assert first(doctor) is None
    make_visit_type(doctor=doctor)
    assert first(doctor) == NINE
    block(slots, 0, 1, state=state)
    assert first(doctor) is None


def test_others_have_slots_and_visit_types_of_their_own() -> None:
    doctor, other = somebody(), somebody()
    make_visit_type(doctor=other)
    make_slots(doctor=other, starts_at=NINE)
    make_visit_type(doctor=doctor, slots=2)
    slots = make_slots(doctor=doctor, starts_at=NINE + HALF, count=2)
    assert first(doctor) == slots[0].starts_at
    assert first(other) == NINE


def test_horizon_counts_the_days_on_the_clock_of_the_clinic() -> None:
    """A day begins there at 18:30 UTC."""
    doctor = somebody(clinic=make_clinic(time_zone="Asia/Kolkata"))
    make_visit_type(doctor=doctor)
    midnight = tomorrow_at(18, 30)
    [slot] = make_slots(doctor=doctor, starts_at=midnight + DAY + HALF, clinic=doctor.clinic)
    Doctor.objects.filter(pk=doctor.pk).update(horizon_days=2)
    doctor.refresh_from_db()
    assert first(doctor, at=midnight - MINUTE) is None
    assert first(doctor, at=midnight) == slot.starts_at


def test_mode_and_price_are_those_of_a_visit_that_can_start_there() -> None:
    doctor = somebody()
    make_visit_type(doctor=doctor, mode="video", price_cents=5000, currency="EUR")
    make_visit_type(doctor=doctor, mode="in_person", price_cents=3000, currency="CHF")
    early = make_slots(doctor=doctor, starts_at=NINE, count=1, mode="in_person")
    late = make_slots(doctor=doctor, starts_at=NINE + 2 * HALF, count=1, mode="any")
    assert first(doctor) == early[0].starts_at
    assert first(doctor, mode="video") == late[0].starts_at
    assert first(doctor, mode="in_person") == early[0].starts_at
    assert first(doctor, most=5000) == late[0].starts_at
    assert first(doctor, most=4999) is None
    assert first(doctor, most=3000, currency="CHF") == early[0].starts_at
    assert first(doctor, most=2999, currency="CHF") is None
    assert first(doctor, mode="video", most=9000, currency="CHF") is None


def test_hours_that_are_for_some_visits_only_are_passed_by() -> None:
    doctor = somebody()
    make_visit_type(doctor=doctor, mode="video")
    check = make_visit_type(doctor=doctor, mode="in_person")
    make_slots(doctor=doctor, starts_at=NINE, count=1, visit_types=[check.pk])
    free = make_slots(doctor=doctor, starts_at=NINE + HALF, count=1)
    assert first(doctor) == NINE
    assert first(doctor, mode="video") == free[0].starts_at
    VisitType.objects.filter(pk=check.pk).update(is_active=False)
    assert first(doctor) == free[0].starts_at


def test_city_is_that_of_the_slot_and_its_letters_may_be_small() -> None:
    doctor = somebody()
    make_visit_type(doctor=doctor)
    for hours, city in ((0, "Utrecht"), (1, "Delft"), (2, "Utrecht")):
        clinic = make_clinic(city=city)
        start = NINE + timedelta(hours=hours)
        make_slots(doctor=doctor, starts_at=start, count=1, clinic=clinic)
    assert first(doctor, city="delft") == NINE + timedelta(hours=1)
    assert first(doctor, city="Utrecht") == NINE
    assert first(doctor, city="Delf") is None


@pytest.mark.parametrize(
    ("zone", "hour"), [("Pacific/Kiritimati", 10), ("Pacific/Pago_Pago", 11), ("UTC", 0)]
)
def test_day_is_that_of_the_clinic_from_its_first_moment_to_its_last(zone: str, hour: int) -> None:
    """Midnight is at this hour UTC there."""
    doctor = somebody()
    make_visit_type(doctor=doctor)
    clinic = make_clinic(time_zone=zone)
    midnight = tomorrow_at(hour, days=4)
    make_slots(doctor=doctor, starts_at=midnight - HALF, count=2, clinic=clinic)
    [last] = make_slots(doctor=doctor, starts_at=midnight + DAY - HALF, clinic=clinic)
    make_slots(doctor=doctor, starts_at=midnight + DAY, clinic=clinic)
    [(day,)] = rows_of("SELECT (%s AT TIME ZONE %s)::date", midnight, zone)
    assert first(doctor, day=day) == midnight
    Slot.objects.filter(starts_at=midnight).delete()
    assert first(doctor, day=day) == last.starts_at
    last.delete()
    assert first(doctor, day=day) is None
    assert first(doctor, day=day - DAY) == midnight - HALF
    assert first(doctor, day=day + DAY) == midnight + DAY


def test_full_days_are_passed_by() -> None:
    doctor = somebody(most_visits_a_day=2)
    make_visit_type(doctor=doctor)
    today = make_slots(doctor=doctor, starts_at=NINE, count=3)
    tomorrow = make_slots(doctor=doctor, starts_at=NINE + DAY, count=2)
    block(today, 0)
    assert first(doctor) == today[1].starts_at
    block(today, 1)
    assert first(doctor) == tomorrow[0].starts_at
    assert first(doctor, day=today[0].starts_at.date()) is None


def full_days(
    doctor: Doctor, *, most: int | None, apart_from: UUID | None = None, at: datetime = NOW
) -> list[date]:
    sql = "SELECT day FROM doctors_full_days(%s, %s, %s, %s, %s, %s) ORDER BY day"
    rows = rows_of(sql, doctor.pk, most, NINE, NINE + DAY, at, apart_from)
    return [day for (day,) in rows]


def test_visits_of_a_day_are_counted_by_their_holds_where_they_begin() -> None:
    """A visit over midnight counts on the day before. Blocked times are no visits."""
    doctor, other = somebody(), somebody()
    clinic = make_clinic(time_zone="UTC")
    night = tomorrow_at(23, 30)
    over_midnight = make_slots(doctor=doctor, starts_at=night, count=2, clinic=clinic)
    block(over_midnight, 0, 1)
    single = make_slots(doctor=doctor, starts_at=NINE, count=1, clinic=clinic)
    hold(single[0], until=NOW + MINUTE)
    free = make_slots(doctor=doctor, starts_at=NINE + HALF, count=2, clinic=clinic)
    block(free, 0, state="blocked")
    elsewhere = make_slots(doctor=other, starts_at=NINE, count=1, clinic=clinic)
    block(elsewhere, 0)
    day = NINE.date()
    assert full_days(doctor, most=2) == [day]
    assert full_days(doctor, most=1) == [day]
    assert full_days(doctor, most=3) == []
    assert full_days(doctor, most=None) == []
    assert full_days(doctor, most=2, at=NOW + MINUTE) == []
    single[0].refresh_from_db()
    assert full_days(doctor, most=2, apart_from=single[0].hold_id) == []
    assert full_days(other, most=1) == [day]


def visit_fits(slot: Slot, slots: int, kept_free: int = 0, *, at: datetime = NOW) -> bool:
    sql = "SELECT doctors_visit_fits(%s, %s, %s, %s, %s)"
    [(answer,)] = rows_of(sql, slot.doctor_id, slot.starts_at, slots, kept_free, at)
    return bool(answer)


def test_visit_needs_as_many_slots_that_follow_each_other() -> None:
    doctor = somebody()
    slots = make_slots(doctor=doctor, starts_at=NINE, count=3)
    make_slots(doctor=doctor, starts_at=NINE + 4 * HALF, count=1)
    assert visit_fits(slots[0], 3)
    assert not visit_fits(slots[0], 4)
    assert not visit_fits(slots[1], 3)
    block(slots, 2)
    assert visit_fits(slots[0], 2)
    assert not visit_fits(slots[0], 3)


@pytest.mark.parametrize("what", ["clinic", "mode", "visit_types"])
def test_visit_needs_slots_of_one_place_and_for_the_same_visits(what: str) -> None:
    doctor = somebody()
    slots = make_slots(doctor=doctor, starts_at=NINE, count=3)
    check = make_visit_type(doctor=doctor)
    changes = {"clinic": make_clinic(), "mode": "video", "visit_types": [check.pk]}
    Slot.objects.filter(pk=slots[1].pk).update(**{what: changes[what]})
    assert visit_fits(slots[0], 1)
    assert not visit_fits(slots[0], 2)
    assert visit_fits(slots[0], 1, 1)


def test_time_after_a_visit_must_be_free_where_somebody_could_be_seen_in_it() -> None:
    doctor = somebody()
    slots = make_slots(doctor=doctor, starts_at=NINE, count=3)
    assert visit_fits(slots[0], 1, 2)
    assert visit_fits(slots[2], 1, 2)  # the day is over
    block(slots, 2)
    assert visit_fits(slots[0], 1, 1)
    assert not visit_fits(slots[0], 1, 2)
    block(slots, 1, state="blocked")
    assert visit_fits(slots[0], 1, 2)


def test_visit_fits_on_a_time_that_was_held() -> None:
    doctor = somebody()
    slots = make_slots(doctor=doctor, starts_at=NINE, count=2)
    hold(slots[1], until=NOW)
    assert visit_fits(slots[0], 2)
    assert visit_fits(slots[0], 1, 1)
    assert not visit_fits(slots[0], 2, at=NOW - MINUTE)
    assert not visit_fits(slots[0], 1, 1, at=NOW - MINUTE)


def test_long_visits_pass_single_slots_by() -> None:
    doctor = somebody()
    make_visit_type(doctor=doctor, slots=2, buffer_slots=1)
    single = make_slots(doctor=doctor, starts_at=NINE, count=2)
    block(single, 1)
    run = make_slots(doctor=doctor, starts_at=NINE + 4 * HALF, count=4)
    assert first(doctor) == run[0].starts_at
    block(run, 2)
    assert first(doctor) is None
