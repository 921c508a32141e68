"""One patient, two visits that overlap across the end of a month: two partitions, one answer."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from bookings import codes
from bookings.errors import PatientBusy
from bookings.holder import Holder
from bookings.models import Appointment
from bookings.services.codes import Details, request_code
from bookings.services.confirmation import confirm_booking
from bookings.services.holds import hold_slot
from tests.concurrency.rush import rush
from tests.factories import make_doctor, make_patient, make_slots, make_visit_type

pytestmark = pytest.mark.django_db(transaction=True)


def first_of_next_month() -> datetime:
    now = timezone.now()
    following = (now.replace(day=1) + timedelta(days=40)).replace(day=1)
    return datetime(following.year, following.month, 1, tzinfo=UTC)


def held(patient, *, starts_at):
    doctor = make_doctor(slot_minutes=60, horizon_days=90)
    visit_type = make_visit_type(doctor=doctor)
    [slot] = make_slots(doctor=doctor, starts_at=starts_at)
    holder, now = Holder(patient=patient), timezone.now()
    hold = hold_slot(slot_id=slot.pk, visit_type_id=visit_type.pk, holder=holder, now=now)
    details = Details("Ana", "Horvat", patient.email)
    return request_code(hold_id=hold.pk, holder=holder, details=details, now=now)


def test_two_overlapping_visits_across_a_months_end_are_not_both_confirmed():
    patient, midnight = make_patient(), first_of_next_month()
    holds = [held(patient, starts_at=midnight + timedelta(minutes=n)) for n in (-30, 0)]

    def act(hold):
        code = codes.derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=0)
        return confirm_booking(hold_id=hold.pk, holder=Holder(patient=patient), code=code)

    results = rush(act, holds)

    assert sorted(type(each).__name__ for each in results) == ["Appointment", "PatientBusy"]
    assert isinstance(next(e for e in results if isinstance(e, Exception)), PatientBusy)
    assert Appointment.objects.count() == 1
