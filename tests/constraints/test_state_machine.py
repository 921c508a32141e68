"""The trigger and bookings.states.TRANSITIONS say the same, for every pair of statuses."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import PatientMerge
from bookings.models import Appointment
from bookings.models.agreed import AGREED
from bookings.states import ACTIVE, TRANSITIONS, AppointmentStatus, trigger_function
from tests.constraints.registry import breaks
from tests.factories import make_appointment, make_doctor, make_patient, make_slots

PAIRS = list(product(AppointmentStatus, repeat=2))
KNOWN = {(each.before, each.after) for each in TRANSITIONS}


def change(old: AppointmentStatus = AppointmentStatus.CONFIRMED, **fields: Any) -> None:
    appointment = make_appointment(slots=make_slots(doctor=make_doctor()), status=old)
    fields = {"version": F("version") + 1} | fields
    Appointment.objects.filter(pk=appointment.pk).update(**fields)


@pytest.mark.django_db
@pytest.mark.parametrize(("old", "new"), PAIRS, ids=lambda status: status.value)
def test_the_database_allows_what_the_states_allow(old, new):
    try:
        with transaction.atomic():
            change(old, status=new)
        allowed = True
    except DatabaseError:
        allowed = False
    assert allowed == (new == old or (old, new) in KNOWN)


@pytest.mark.django_db
def test_the_function_in_the_database_is_the_one_that_the_states_write():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT prosrc FROM pg_proc WHERE proname = 'bookings_check_appointment_status'"
        )
        assert cursor.fetchall() == [(trigger_function(),)]


@breaks("appointment_status_follows_the_state_machine")
def test_a_cancelled_appointment_stays_cancelled():
    change(AppointmentStatus.CANCELLED, status=AppointmentStatus.CONFIRMED)


@breaks("change_of_status_is_the_next_version")
def test_a_change_of_status_is_the_next_version():
    change(status=AppointmentStatus.ARRIVED, version=F("version"))


@breaks("change_of_what_was_agreed_is_the_next_version")
def test_a_change_of_what_was_agreed_is_the_next_version():
    change(street="Another street 1", version=F("version"))


@pytest.mark.django_db
@pytest.mark.parametrize("field", AGREED)
def test_nothing_that_was_agreed_changes_in_silence(field):
    new = 1 if field == "price_cents" else "video" if field == "mode" else "XX"
    with pytest.raises(DatabaseError), transaction.atomic():
        change(**{field: new}, version=F("version"))
    change(**{field: new}, version=F("version") + 1)


@breaks("appointment_changes_its_patient_by_a_merge_only")
def test_an_appointment_never_goes_to_another_patient():
    change(patient=make_patient())


@breaks("appointment_changes_its_patient_by_a_merge_only")
def test_an_appointment_never_goes_back_before_the_merge_is_undone():
    kept = make_patient()
    visit = make_appointment(slots=make_slots(doctor=make_doctor()), patient=kept)
    merged = make_patient()
    PatientMerge.objects.create(kept=kept, merged=merged, merged_at=timezone.now())
    Appointment.objects.filter(pk=visit.pk).update(patient=merged)


@breaks("appointment_keeps_its_doctor_and_time")
def test_an_appointment_never_goes_to_another_doctor():
    change(doctor=make_doctor())


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["doctor", "starts_at", "ends_at"])
def test_an_appointment_keeps_its_doctor_and_its_time(field):
    later = F(field) + timedelta(minutes=1) if field != "doctor" else make_doctor()
    with pytest.raises(DatabaseError, match="appointment_keeps_its_doctor_and_time"):
        change(**{field: later})


def test_no_step_is_named_twice_and_none_leads_nowhere():
    steps = [(each.before, each.after) for each in TRANSITIONS]
    assert len(steps) == len(set(steps))
    assert all(before != after for before, after in steps)


def test_each_status_has_one_step_back_at_most_and_what_is_over_has_none():
    undone = [each.before for each in TRANSITIONS if each.is_undo]
    assert len(undone) == len(set(undone))
    assert set(undone) == set(ACTIVE) - {AppointmentStatus.CONFIRMED}
