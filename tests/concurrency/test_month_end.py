"""One patient, two visits that overlap across the end of a month: two partitions, one answer."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.moves import move_appointment
from bookings.errors import PatientBusy
from bookings.holding import codes
from bookings.holding.services.codes import Details, request_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment
from docbook.lock_keys import VISITS_OF
from tests.concurrency.rush import rush
from tests.factories import make_doctor, make_patient, make_secretary, make_slots, make_visit_type

pytestmark = pytest.mark.django_db(transaction=True)


def first_of_next_month() -> datetime:
    # The day after the last of the month: a visit that begins the day before can be booked.
    soon = timezone.now() + timedelta(days=2)
    following = (soon.replace(day=1) + timedelta(days=40)).replace(day=1)
    return datetime(following.year, following.month, 1, tzinfo=UTC)


def held(patient, *, starts_at):
    doctor = make_doctor(slot_minutes=60, horizon_days=90)
    visit_type = make_visit_type(doctor=doctor)
    [slot] = make_slots(doctor=doctor, starts_at=starts_at)
    holder, now = Holder(patient=patient), timezone.now()
    hold = hold_slot(slot_id=slot.pk, visit_type_id=visit_type.pk, holder=holder, now=now)
    details = Details("Ana", "Horvat", patient.email)
    return request_code(hold_id=hold.pk, holder=holder, details=details, now=now)


def confirm(hold, patient):
    code = codes.derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=0)
    return confirm_booking(hold_id=hold.pk, holder=Holder(patient=patient), code=code)


def test_two_overlapping_visits_across_a_months_end_are_not_both_confirmed():
    patient, midnight = make_patient(), first_of_next_month()
    holds = [held(patient, starts_at=midnight + timedelta(minutes=n)) for n in (-30, 0)]

    results = rush(lambda hold: confirm(hold, patient), holds)

    assert sorted(type(each).__name__ for each in results) == ["Appointment", "PatientBusy"]
    assert isinstance(next(e for e in results if isinstance(e, Exception)), PatientBusy)
    assert Appointment.objects.count() == 1


def test_move_by_the_practice_across_a_months_end_waits_for_the_patients_confirmation():
    """Another partition, another constraint: only the lock on the patient's visits connects
    them.
    """
    patient, midnight = make_patient(), first_of_next_month()
    early = held(patient, starts_at=midnight - timedelta(days=1))
    visit = confirm(early, patient)
    (to,) = make_slots(doctor=visit.doctor, starts_at=midnight - timedelta(minutes=30))
    secretary = PracticeMember(make_secretary(doctor=visit.doctor))
    late = held(patient, starts_at=midnight)
    first_has_looked, go_on = threading.Event(), threading.Event()

    def confirmation_that_has_not_committed() -> None:
        try:
            with transaction.atomic():
                confirm(late, patient)
                first_has_looked.set()
                go_on.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=confirmation_that_has_not_committed)
    thread.start()
    assert first_has_looked.wait(30)

    def waits_for_the_lock(execute, sql, params, many, context):
        # The move has read nothing yet: only now may the confirmation end.
        if any(str(value).startswith(VISITS_OF) for value in params or ()):
            go_on.set()
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(waits_for_the_lock), pytest.raises(PatientBusy):
            move_appointment(
                appointment_id=visit.pk,
                slot_id=to.pk,
                by=secretary,
                version=1,
                reason="The doctor operates",
                now=timezone.now(),
            )
    finally:
        go_on.set()
        thread.join(30)
    assert Appointment.objects.filter(status="confirmed").count() == 2
