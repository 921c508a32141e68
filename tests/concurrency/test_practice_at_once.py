"""Two people of one practice write at one instant: one text is kept, the other person is told."""

from datetime import date, time
from threading import Barrier
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from bookings.models import Appointment, VisitNote
from bookings.schedule.services import write_note
from docbook.audit.models import AuditEvent
from docbook.audit.services import Actor
from docbook.errors import VersionMismatch
from doctors.models import AvailabilityRule, Doctor
from doctors.selectors.hours import rules_of, version_of
from doctors.services import hours
from doctors.services.hours import change_rules
from tests.bookings.parties import doctor_of, secretary_of
from tests.concurrency.rush import rush
from tests.factories import make_appointment, make_doctor, make_slots, make_user

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 10


def note(visit: Appointment, by: Any) -> str:
    text = f"by {by.user.pk}"
    write_note(appointment_id=visit.pk, text=text, by=by, version=0, now=timezone.now())
    return text


def test_of_two_first_notes_at_once_one_is_kept_and_one_person_is_told() -> None:
    for _ in range(ROUNDS):
        visit = make_appointment(slots=make_slots(doctor=make_doctor(user=make_user())))
        answers = rush(
            lambda by, visit=visit: note(visit, by), [doctor_of(visit), secretary_of(visit)]
        )
        kept = [answer for answer in answers if isinstance(answer, str)]
        assert sorted(type(answer).__name__ for answer in answers) == ["VersionMismatch", "str"]
        assert [VisitNote.objects.get(pk=visit.pk).text] == kept


def plan(doctor: Doctor, hour: int) -> AvailabilityRule:
    return AvailabilityRule(
        doctor=doctor,
        clinic=doctor.clinic,
        weekdays=[0],
        starts=time(hour),
        ends=time(hour + 1),
        valid_from=date(2026, 1, 5),
    )


def save(doctor: Doctor, hour: int) -> int:
    change_rules(
        doctor=doctor,
        rules=[plan(doctor, hour)],
        seen=version_of([]),
        by=Actor("doctor", doctor.user_id),
        user=doctor.user,
    )
    return hour


def test_of_two_plans_saved_at_once_one_is_kept_and_one_person_is_told() -> None:
    for _ in range(ROUNDS):
        doctor = make_doctor(user=make_user())
        answers = rush(lambda hour, doctor=doctor: save(doctor, hour), [9, 14])
        [kept] = [answer for answer in answers if isinstance(answer, int)]
        assert [type(each) for each in answers if each != kept] == [VersionMismatch]
        assert [rule.starts.hour for rule in rules_of(doctor)] == [kept]
        changes = AuditEvent.objects.filter(action="hours.changed", object_id=str(doctor.pk))
        assert changes.count() == 1


def test_without_the_lock_both_plans_would_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: both compare before either writes."""
    barrier, doctor = Barrier(2), make_doctor(user=make_user())

    def compare(rules: Any) -> str:
        assert transaction.get_connection().in_atomic_block
        version = version_of(rules)
        barrier.wait(10)
        return version

    monkeypatch.setattr(hours, "lock_hours", lambda _doctor: None)
    monkeypatch.setattr(hours, "version_of", compare)
    assert rush(lambda hour: save(doctor, hour), [9, 14]) == [9, 14]
    assert [rule.starts.hour for rule in rules_of(doctor)] == [9, 14]
