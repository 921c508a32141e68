"""The demo data: the same every time, and consistent with every promise about the data."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import NamedTuple

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from accounts.models import User
from bookings.models import Appointment, DoctorDay, Hold, VisitNote, WaitlistEntry
from bookings.waitlist.selectors import free_times_near
from devstack.demo import calendars, ledger
from devstack.demo.cast import PASSWORD, address
from devstack.demo.places import CITIES, COUNTRIES
from devstack.demo.today import EARLY, marked
from devstack.demo.visits import Visit
from doctors.models import (
    AvailabilityOverride,
    AvailabilityRule,
    Clinic,
    ClosedDay,
    Doctor,
    Slot,
    SlotState,
    Specialty,
    VisitType,
)
from doctors.services.expansion import expand_slots
from tests.emptying import allow_emptying, refuse_emptying
from tests.factories import make_doctor

pytestmark = pytest.mark.django_db(transaction=True)

DOCTORS = 9


def seed(*arguments: str) -> str:
    out = StringIO()
    call_command("seed_demo", "--doctors", str(DOCTORS), "--days", "10", *arguments, stdout=out)
    return out.getvalue()


def empty_tables() -> None:
    call_command("flush", "--no-input", verbosity=0)


def everything() -> dict[str, list[tuple]]:
    """The demo without ids and without the instants when rows were written."""
    taken = "doctor__slug", "starts_at", "ends_at", "visit_type__name", "patient__email"
    return {
        "people": rows(User, "email", "first_name", "last_name", "phone", "is_superuser"),
        "clinics": rows(Clinic, "name", "street", "postcode", "city", "phone", "time_zone"),
        "doctors": rows(Doctor, "slug", "name", "specialty__slug", "languages", "about"),
        "visit types": rows(VisitType, "doctor__slug", "name", "slots", "price_cents"),
        "rules": rows(AvailabilityRule, "doctor__slug", "weekdays", "starts", "every_weeks"),
        "closed days": rows(ClosedDay, "clinic__name", "clinic__street", "day", "name"),
        "time off": rows(AvailabilityOverride, "doctor__slug", "first_day", "last_day", "reason"),
        "slots": rows(Slot, "doctor__slug", "starts_at", "ends_at", "state", "mode"),
        "holds": rows(Hold, *taken, "email", "reason", "expires_at"),
        "appointments": rows(Appointment, *taken, "status", "price_cents", "version"),
    }


def rows(model, *columns: str) -> list[tuple]:
    return sorted(model.objects.values_list(*columns), key=repr)


def test_the_same_seed_gives_the_same_data():
    with time_machine.travel(
        timezone.now(), tick=False
    ):  # as the clock goes on, more patients come
        seed("--seed", "7")
        first = everything()
        empty_tables()
        seed("--seed", "7")
    assert everything() == first
    empty_tables()
    seed("--seed", "8")
    assert everything()["doctors"] != first["doctors"]


def test_every_appointment_has_its_hold_and_its_slots():
    seed()
    assert Appointment.objects.count() > 50
    holds = {hold.pk: hold for hold in Hold.objects.all()}
    booked = {slot.pk: slot for slot in Slot.objects.filter(state=SlotState.BOOKED)}
    for appointment in Appointment.objects.select_related("visit_type"):
        hold = holds.pop(appointment.pk)
        if appointment.status == "cancelled":
            continue
        slots = [booked.pop(pk) for pk in hold.slot_ids]
        assert hold.state == "confirmed"
        assert {slot.hold_id for slot in slots} == {appointment.pk}
        assert len(slots) == appointment.visit_type.slots
        assert (slots[0].starts_at, slots[-1].ends_at) == (hold.starts_at, hold.ends_at)
        assert (appointment.starts_at, appointment.ends_at) == (hold.starts_at, hold.ends_at)
        assert all(slot.mode in (appointment.visit_type.mode, "any") for slot in slots)
        assert {slot.doctor_id for slot in slots} == {appointment.doctor_id}
        assert {slot.clinic_id for slot in slots} == {appointment.clinic_id}
        assert (hold.patient_id, hold.visit_type_id) == (
            appointment.patient_id,
            appointment.visit_type_id,
        )
        assert hold.created_at < min(appointment.starts_at, timezone.now())
    assert not holds
    assert not booked
    assert Hold.objects.filter(slot_ids__len__gt=1).exists()


def test_nobody_is_in_two_places_at_once():
    seed()
    diaries: dict[int, list[Appointment]] = {}
    for appointment in Appointment.objects.exclude(status="cancelled").order_by("starts_at"):
        diary = diaries.setdefault(appointment.patient_id, [])
        assert not diary or diary[-1].ends_at <= appointment.starts_at
        diary.append(appointment)


def test_slots_are_those_that_the_expansion_makes():
    seed()
    midnight = datetime.combine(timezone.now().date(), datetime.min.time(), tzinfo=UTC)
    result = expand_slots(doctor_ids=None, now=midnight)
    assert (result.doctors, result.added, result.removed) == (DOCTORS, 0, 0)


def test_what_is_past_was_completed_missed_or_cancelled_and_what_is_ahead_is_confirmed():
    seed()
    past = Appointment.objects.filter(starts_at__lt=timezone.now() - timedelta(days=1))
    ahead = Appointment.objects.filter(starts_at__gt=timezone.now() + EARLY)
    assert set(past.values_list("status", flat=True)) == {
        *("completed", "no_show", "cancelled"),
    }
    assert set(ahead.values_list("status", flat=True)) == {"confirmed"}


def test_the_demo_people_can_sign_in_and_play_their_parts():
    seed()
    doctor = Doctor.objects.get(slug="emma-visser")
    people = ["patient", "patient-1", "patient-2000", "doctor", "secretary", "admin"]
    for name in people:
        user = User.objects.get(email=address(name))
        assert user.check_password(PASSWORD)
        assert EmailAddress.objects.filter(user=user, verified=True, primary=True).count() == 1
    assert User.objects.filter(is_superuser=True).get().email == address("admin")
    assert doctor.user.email == address("doctor")
    assert doctor.secretaries.get().secretary.email == address("secretary")
    assert Doctor.objects.filter(secretaries__secretary__email=address("secretary")).count() == 3
    assert (doctor.name, doctor.specialty.slug) == ("Dr Emma Visser", "dermatology")
    assert str(doctor.clinic) == "Huid & Haar Kliniek, Utrecht"
    assert doctor.clinic.street == "Maliebaan 42"
    statuses = Appointment.objects.filter(patient__email=address("patient"))
    assert {"confirmed", "completed", "no_show"} == set(statuses.values_list("status", flat=True))


def test_the_demo_doctor_has_a_full_week_with_some_time_left():
    seed()
    week = Slot.objects.filter(
        doctor__slug="emma-visser",
        starts_at__gt=timezone.now(),
        starts_at__lt=timezone.now() + timedelta(days=7),
    )
    taken = week.filter(state=SlotState.BOOKED).count()
    assert week.count() / 2 < taken < week.count()


def test_the_numbers_of_the_demo_doctor_reach_back_half_a_year():
    seed()
    days = DoctorDay.objects.filter(doctor__slug="emma-visser", offered__gt=0)
    assert days.count() > 100
    assert days.filter(cancelled_by_patient__gt=0).exists()
    assert days.filter(cancelled_by_practice__gt=0).exists()
    assert days.filter(no_show__gt=0).exists()


def test_the_numbered_patients_have_free_calendars_for_load_tests():
    seed()
    assert User.objects.filter(email__startswith="patient-").count() == 2000
    assert not Appointment.objects.filter(patient__email__startswith="patient-").exists()


def test_all_specialties_are_there_and_every_doctor_has_two_to_four_reasons():
    seed()
    assert Specialty.objects.count() == 24
    for doctor in Doctor.objects.all():
        assert 2 <= doctor.visit_types.count() <= 4
        assert all(visit.price_cents % 100 == 0 for visit in doctor.visit_types.all())


def test_the_cities_lie_in_many_countries_and_zones():
    zones = {city.time_zone for city in CITIES}
    assert len(CITIES) >= 12
    assert {city.country for city in CITIES} == set(COUNTRIES)
    assert {"Europe/Amsterdam", "Europe/London", "Europe/Lisbon", "America/New_York"} < zones
    assert {"Asia/Kolkata", "Africa/Nairobi"} < zones


def test_a_database_in_use_is_left_alone():
    make_doctor()
    assert "nothing was added" in seed("--if-empty")
    with pytest.raises(CommandError, match="There are doctors already"):
        seed()
    assert Doctor.objects.count() == 1


@pytest.fixture
def _audit_as_in_production(transactional_db):
    refuse_emptying()
    yield
    allow_emptying()


@pytest.mark.usefixtures("_audit_as_in_production")
def test_an_interrupted_seed_starts_over(monkeypatch):
    write_visits = calendars.write_visits
    monkeypatch.setattr(calendars, "write_visits", fail)
    with pytest.raises(ZeroDivisionError):
        seed("--if-empty")
    assert Doctor.objects.count() == DOCTORS
    monkeypatch.setattr(calendars, "write_visits", write_visits)
    assert "starting over" in seed("--if-empty")
    assert Doctor.objects.count() == DOCTORS
    assert Appointment.objects.exists()
    assert "nothing was added" in seed("--if-empty")


def fail(_visits) -> None:
    raise ZeroDivisionError


@override_settings(DEMO_DATA=False)
def test_settings_without_demo_data_refuse_it():
    with pytest.raises(CommandError, match="DEMO_DATA"):
        seed()
    assert not User.objects.exists()


@pytest.mark.parametrize("arguments", [("--doctors", "0"), ("--days", "400"), ("--doctors", "x")])
def test_amounts_out_of_range_get_a_sentence(arguments):
    with pytest.raises(CommandError, match="a whole number from 1 to"):
        call_command("seed_demo", *arguments)


def test_the_statistics_of_the_planner_are_fresh_at_once():
    seed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'doctors_slot'")
        [(estimate,)] = cursor.fetchall()
    assert estimate == Slot.objects.count()


def test_the_demo_keeps_every_promise_about_the_data():
    seed()
    call_command("check_invariants", stdout=StringIO())


@pytest.mark.usefixtures("_audit_as_in_production")
def test_an_interrupted_seed_leaves_no_audit_of_visits_that_are_gone(monkeypatch):
    monkeypatch.setattr(calendars, "write_visits", write_once_then_fail)
    with pytest.raises(ZeroDivisionError):
        seed()
    monkeypatch.undo()
    assert Appointment.objects.exists()
    seed("--if-empty")
    call_command("check_invariants", stdout=StringIO())
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE audit_auditevent")


def write_once_then_fail(visits) -> None:
    ledger.write_visits(visits)
    raise ZeroDivisionError


MORNING = datetime(2026, 12, 1, 8, tzinfo=UTC)


def visits_of_a_day() -> list[Visit]:
    """Ten of 20 minutes, from eight o'clock on."""
    starts = [MORNING + timedelta(minutes=20 * number) for number in range(10)]
    return [
        Visit(
            None, None, (Run(start, start + timedelta(minutes=20)),), None, "confirmed", "", start
        )
        for start in starts
    ]


class Run(NamedTuple):
    starts_at: datetime
    ends_at: datetime


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (-6, "confirmed " * 10),
        (1, "completed no_show completed arrived arrived " + "confirmed " * 5),
        (9, "completed no_show " + "completed " * 7 + "no_show"),
    ],
    ids=["before the day", "in the morning", "in the evening"],
)
def test_todays_visits_stand_as_they_would_at_that_hour(hour, expected):
    now = MORNING + timedelta(hours=hour)
    said = marked(visits_of_a_day(), since=MORNING, now=now)
    assert [visit.status for visit in said] == expected.split()


def test_the_doctors_of_the_secretary_show_what_a_practice_can_do():
    seed()
    run = AvailabilityRule.objects.filter(
        doctor__secretaries__secretary__email=address("secretary")
    ).select_related("clinic")
    weeks = run.filter(every_weeks=2).values_list("valid_from", flat=True)
    assert {(first - min(weeks)).days for first in weeks} == {0, 7}  # A and B
    assert run.exclude(visit_types=[]).count() >= 3
    assert {rule.clinic.time_zone for rule in run} == {"Europe/Amsterdam", "Europe/London"}
    assert VisitNote.objects.filter(hold__doctor__slug="emma-visser").count() > 3


def test_people_who_wait_want_what_nobody_could_offer_them():
    seed("--days", "20")
    entries = list(WaitlistEntry.objects.all())
    assert entries
    for entry in entries:
        assert list(free_times_near(entry, now=timezone.now())) == []


@pytest.mark.parametrize("day", [5, 6], ids=["Saturday", "Sunday"])
def test_the_first_day_of_the_demo_doctor_has_times_at_a_weekend_too(day):
    now = timezone.now().replace(hour=10)
    with time_machine.travel(now + timedelta(days=(day - now.weekday()) % 7)):
        seed()
        today = timezone.now().date()
    slots = Slot.objects.filter(doctor__slug="emma-visser", starts_at__date=today)
    assert slots.filter(state=SlotState.BOOKED).count() > 3
