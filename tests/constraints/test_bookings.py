"""Holds and appointments."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone
from uuid_utils.compat import uuid7

from bookings.models import HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS, MAX_CODE_RESENDS
from bookings.states import ACTIVE, AppointmentStatus
from tests.constraints.registry import breaks
from tests.factories import (
    make_appointment,
    make_doctor,
    make_hold,
    make_patient,
    make_slots,
    tomorrow_at,
)


def slots(**fields):
    return make_slots(doctor=make_doctor(), **fields)


def again(row):
    """The same row under another id."""
    row.pk = uuid7()
    row.save(force_insert=True)


@breaks("one_live_hold_on_a_slot")
def test_a_time_is_held_once():
    hold = make_hold(slots=slots(count=2))
    hold.starts_at += timedelta(minutes=20)
    again(hold)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [HoldState.RELEASED, HoldState.EXPIRED, HoldState.CONFIRMED])
def test_a_hold_that_is_over_is_in_nobodys_way(state):
    hold = make_hold(slots=slots(), state=state)
    hold.state = HoldState.HELD
    again(hold)


@breaks("hold_ends_after_it_starts")
def test_a_hold_of_no_length_is_refused():
    hold = make_hold(slots=slots())
    hold.ends_at = hold.starts_at
    hold.save()


@breaks("hold_says_what_is_agreed")
def test_a_hold_of_no_reason_is_refused():
    hold = make_hold(slots=slots())
    hold.visit_name = ""
    hold.save()


@breaks("appointment_says_what_was_agreed")
def test_an_appointment_in_no_mode_is_refused():
    visit = make_appointment(slots=slots())
    visit.mode, visit.version = "any", 2
    visit.save()


@breaks("hold_keeps_at_least_one_slot")
def test_a_hold_on_nothing_is_refused():
    hold = make_hold(slots=slots())
    hold.slot_ids = []
    hold.save()


@breaks("hold_belongs_to_a_patient_or_a_guest")
def test_a_hold_of_nobody_is_refused():
    hold = make_hold(slots=slots())
    hold.patient = None
    hold.save()


@breaks("hold_takes_at_most_five_codes")
def test_a_sixth_wrong_code_is_not_counted():
    make_hold(slots=slots(), otp_attempts=MAX_CODE_ATTEMPTS + 1)


@breaks("hold_resends_its_code_at_most_three_times")
def test_a_fourth_resend_is_not_counted():
    make_hold(slots=slots(), otp_resends=MAX_CODE_RESENDS + 1)


@breaks("hold_has_a_known_state")
def test_a_hold_in_an_unknown_state_is_refused():
    make_hold(slots=slots(), state="lost")


@breaks("confirmed_hold_has_its_patient")
def test_a_guest_who_confirmed_has_become_a_patient():
    make_hold(slots=slots(), guest_key=uuid7(), state=HoldState.CONFIRMED)


@breaks("one_active_appointment_per_doctor_and_start")
def test_a_doctor_has_one_active_appointment_at_a_start():
    appointment = make_appointment(slots=slots())
    appointment.patient = make_patient()
    again(appointment)


@pytest.mark.django_db
@pytest.mark.parametrize("status", sorted(set(AppointmentStatus) - set(ACTIVE)))
def test_a_time_that_was_given_up_can_be_booked_again(status):
    appointment = make_appointment(slots=slots(), status=status)
    appointment.status = AppointmentStatus.CONFIRMED
    again(appointment)


@breaks("no_overlapping_visits_of_a_patient")
def test_a_patient_is_not_with_two_doctors_at_once():
    patient = make_patient()
    make_appointment(slots=slots(starts_at=tomorrow_at(9)), patient=patient)
    make_appointment(slots=slots(starts_at=tomorrow_at(9, 10)), patient=patient)


@pytest.mark.django_db
def test_a_patient_may_go_from_one_doctor_straight_to_the_next():
    patient = make_patient()
    make_appointment(slots=slots(starts_at=tomorrow_at(9)), patient=patient)
    make_appointment(slots=slots(starts_at=tomorrow_at(9, 20)), patient=patient)


@pytest.mark.django_db
def test_visits_that_overlap_across_the_end_of_a_month_are_refused():
    patient, today = make_patient(), timezone.now()
    midnight = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=UTC)
    make_appointment(slots=slots(starts_at=midnight - timedelta(minutes=10)), patient=patient)
    with pytest.raises(IntegrityError, match="no_overlapping_visits_of_a_patient"):
        make_appointment(slots=slots(starts_at=midnight), patient=patient)


@breaks("appointment_ends_after_it_starts")
def test_an_appointment_of_no_length_is_refused():
    appointment = make_appointment(slots=slots())
    appointment.ends_at = appointment.starts_at
    again(appointment)


@breaks("appointment_has_a_known_status")
def test_an_appointment_of_unknown_status_is_refused():
    make_appointment(slots=slots(), status="lost")
