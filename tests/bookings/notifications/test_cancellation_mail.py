"""What the patient is told when a visit is cancelled."""

import pytest
from django.core import mail
from django.utils import timezone

from bookings import tasks
from bookings.appointments.services.changes import cancel_appointment
from bookings.models import Appointment, Hold
from docbook.outbox.models import OutboxMessage
from tests.bookings.parties import Party, doctor_of, patient_of
from tests.factories import make_appointment, make_doctor, make_slots, tomorrow_at

pytestmark = pytest.mark.django_db


def cancelled(*, by: str, reason: str = "") -> Appointment:
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=3))
    visit = make_appointment(slots=slots)
    Hold.objects.filter(pk=visit.pk).update(email="given.then@example.test")
    party: Party = patient_of(visit) if by == "patient" else doctor_of(visit)
    cancel_appointment(
        appointment_id=visit.pk, by=party, version=1, now=timezone.now(), reason=reason
    )
    message = OutboxMessage.objects.get(topic="appointment.cancelled")
    for _ in range(2):
        tasks.send_cancellation([message.pk, message.handed_out])
    return visit


def test_patient_is_told_once_why_the_practice_has_cancelled() -> None:
    cancelled(by="doctor", reason="she is ill")
    (message,) = mail.outbox
    assert message.to == ["given.then@example.test"]
    assert message.subject.startswith("Cancelled: ")
    html = str(message.alternatives[0][0])
    for body in (message.body, html):
        assert "Dr Emma Visser has to cancel this visit: she is ill" in body
        assert "/doctors/" in body
    assert "she is ill" not in message.subject


def test_patient_who_cancels_is_thanked_and_not_told_their_own_reason() -> None:
    cancelled(by="patient", reason="I am better")
    (message,) = mail.outbox
    assert "You have cancelled this visit." in message.body
    assert "I am better" not in message.body + str(message.alternatives[0][0])


def test_reason_is_escaped_in_html_and_left_alone_in_text() -> None:
    cancelled(by="doctor", reason="<b>ill</b> & away")
    (message,) = mail.outbox
    assert "<b>ill</b> & away" in message.body
    assert "&lt;b&gt;ill&lt;/b&gt; &amp; away" in str(message.alternatives[0][0])
