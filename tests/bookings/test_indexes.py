"""Lists that people look at all day are read by an index, one month at a time."""

from datetime import timedelta

import pytest
from django.db import connection

from bookings.models import Hold
from bookings.selectors.appointments import appointments_of_doctor
from bookings.services.confirmation import confirm_booking
from bookings.states import AppointmentStatus
from tests.api.client import Api
from tests.bookings.acts import as_patient, bookable, code_of, guest, take
from tests.bookings.test_moving import booked, hold_instead
from tests.factories import make_doctor, make_patient, tomorrow_at
from tests.scans import indexes_read, read_whole

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("wanted", [{}, {"status": AppointmentStatus.CANCELLED}])
def test_day_of_a_doctor_is_read_by_an_index_that_begins_with_the_doctor(wanted):
    start = tomorrow_at(0)
    day = appointments_of_doctor(
        doctor=make_doctor(), start=start, end=start + timedelta(hours=24)
    ).filter(**wanted)
    with connection.cursor() as cursor:
        # An empty table is read as a whole, whatever indexes there are.
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = day.explain()
    assert "Index Cond: ((doctor_id = " in plan, plan
    assert "Seq Scan on bookings_appointment" not in plan


# One row, or none: the switch that stops booking.
ONE_ROW = {"bookings_bookingpause"}

# Of appointment_of_a_patient, as each month's table calls its own.
VISITS = "bookings_appointment_patient_id_starts_at_idx"

# Each is asked for its own reason: visits of the patient, live holds, what one address keeps, the
# next slots of the doctor, and rows by their keys.
READ_BY = {
    VISITS,
    "accounts_user_pkey",
    "bookings_hold_pkey",
    "doctors_clinic_pkey",
    "doctors_doctor_pkey",
    "doctors_slot_pkey",
    "doctors_visittype_pkey",
    "hold_live_by_address",
    "hold_live_until",
    "one_answer_per_user_and_idempotency_key",
    "one_slot_per_doctor_and_start",
}


def booked_by_the_api():
    visit_type, slots = bookable(slots=2)
    api = Api(make_patient())

    def book():
        started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()
        hold = Hold.objects.get(pk=started["attemptId"])
        assert api.verify(hold.pk, code_of(hold)).status_code == 200

    return book


def test_hold_and_confirmation_read_by_indexes_only():
    assert read_whole(booked_by_the_api()) == ONE_ROW


def test_hold_and_confirmation_read_by_the_indexes_that_were_made_for_them():
    found = indexes_read(booked_by_the_api())
    assert found >= READ_BY, READ_BY - found


def test_guests_holds_are_counted_by_their_own_index():
    visit_type, slots = bookable()
    found = indexes_read(lambda: take(slots[0], visit_type=visit_type, holder=guest()))
    assert "hold_live_by_guest" in found


@pytest.mark.parametrize(
    ("index", "shows_as"),
    [
        ("appointment_of_a_patient", VISITS),
        ("hold_live_by_address", "hold_live_by_address"),
        ("hold_live_until", "hold_live_until"),
    ],
)
def test_missing_index_is_noticed(index, shows_as):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")
    assert shows_as not in indexes_read(booked_by_the_api())


def test_move_reads_by_indexes_only():
    patient, old, _visit_type, slots = booked()

    def move():
        hold = hold_instead(old, slots[2])
        confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))

    assert read_whole(move) == ONE_ROW
