"""Lists that people read all day use an index, one month at a time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from bookings.appointments.selectors.appointments import appointments_of_doctor
from bookings.appointments.services.changes import cancel_appointment
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Hold
from bookings.states import AppointmentStatus
from tests.api.client import Api
from tests.bookings.acts import as_patient, bookable, code_of
from tests.bookings.appointments.test_moving import booked, hold_instead
from tests.factories import make_doctor, make_patient, tomorrow_at
from tests.scans import read_whole

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("wanted", [{}, {"status": AppointmentStatus.CANCELLED}])
def test_day_of_a_doctor_is_read_by_an_index_that_begins_with_the_doctor(wanted):
    start = tomorrow_at(0)
    day = appointments_of_doctor(
        doctor=make_doctor(), start=start, end=start + timedelta(hours=24)
    ).filter(**wanted)
    with connection.cursor() as cursor:
        # An empty table is read as a whole, whatever indexes it has.
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = day.explain()
    assert "Index Cond: ((doctor_id = " in plan, plan
    assert "Seq Scan on bookings_appointment" not in plan


# One row, or none: the switch that stops booking.
ONE_ROW = {"bookings_bookingpause"}


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


def test_statement_without_an_index_is_noticed():
    assert read_whole(lambda: list(Hold.objects.filter(reason="A rash"))) == {"bookings_hold"}


def test_move_reads_by_indexes_only():
    patient, old, _visit_type, slots = booked()

    def move():
        hold = hold_instead(old, slots[2])
        confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))

    assert read_whole(move) == ONE_ROW


def test_cancellation_that_ends_an_attempt_to_move_reads_by_indexes_only(
    django_capture_on_commit_callbacks,
):
    patient, old, _visit_type, slots = booked()
    hold = hold_instead(old, slots[2])

    def cancel():
        with django_capture_on_commit_callbacks(execute=True):
            cancel_appointment(
                appointment_id=old.pk, by=as_patient(patient), version=1, now=timezone.now()
            )

    assert read_whole(cancel) == set()
    hold.refresh_from_db()
    assert hold.state == "released"
