"""The trigger and bookings.states.TRANSITIONS say the same, for every pair of statuses."""

from itertools import product

import pytest
from django.db import DatabaseError, transaction

from bookings.models import Appointment
from bookings.states import TRANSITIONS, AppointmentStatus
from tests.constraints.registry import breaks
from tests.factories import make_appointment, make_doctor, make_slots

PAIRS = list(product(AppointmentStatus, repeat=2))


def change(old: AppointmentStatus, new: AppointmentStatus) -> None:
    appointment = make_appointment(slots=make_slots(doctor=make_doctor()), status=old)
    Appointment.objects.filter(pk=appointment.pk).update(status=new)


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), PAIRS, ids=lambda status: status.value)
def test_the_database_allows_what_the_states_allow(old, new):
    try:
        with transaction.atomic():
            change(old, new)
        allowed = True
    except DatabaseError:
        allowed = False
    assert allowed == (new == old or new in TRANSITIONS[old])


@breaks("appointment_status_follows_the_state_machine")
def test_a_cancelled_appointment_stays_cancelled():
    change(AppointmentStatus.CANCELLED, AppointmentStatus.CONFIRMED)


def test_every_status_has_its_row_of_transitions():
    assert set(TRANSITIONS) == set(AppointmentStatus)
