"""A patient without an e-mail address is told by SMS; without a number, by the practice."""

import pytest
from django.core import mail
from django.utils import timezone

from accounts.services import NewPatient
from bookings.appointments.services.changes import cancel_appointment
from tests.bookings.receiving import receive
from tests.bookings.schedule.callers import ANNA, Practice, make_practice

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice(settings: pytest.FixtureRequest) -> Practice:
    settings.SMS_URL = "mail://sms.docbook.test"  # type: ignore[attr-defined]
    return make_practice()


def sent() -> list[tuple[str, str]]:
    found = [(each.to[0], str(each.subject)) for each in mail.outbox]
    mail.outbox.clear()
    return found


def test_visit_is_told_by_text_without_doctor_or_reason(practice: Practice) -> None:
    practice.books(reason="A rash")
    receive()
    [text] = mail.outbox
    assert text.to == ["+31655501234@sms.docbook.test"]
    assert text.body.startswith("Booked: ")
    assert "Huid & Haar Kliniek, Utrecht" in text.body
    assert "Visser" not in text.body
    assert "rash" not in text.body


def test_cancellation_is_told_in_the_same_way(practice: Practice) -> None:
    visit = practice.books()
    receive()
    sent()
    cancel_appointment(
        appointment_id=visit.pk, by=practice.secretary, version=1, now=timezone.now(), reason="Ill"
    )
    receive()
    [text] = mail.outbox
    assert text.body.startswith("Cancelled: ")


def test_mail_says_who_has_booked(practice: Practice) -> None:
    practice.books(NewPatient("Anna", "Smit", email="anna@mail.test"))
    receive()
    [letter] = mail.outbox
    assert letter.to == ["anna@mail.test"]
    assert "The practice of Dr Emma Visser has booked this visit for you." in letter.body
    assert [each[0] for each in letter.attachments] == ["appointment.ics"]


@pytest.mark.parametrize("phone", ["0655501234", ANNA.phone])
def test_nobody_is_written_to_where_there_is_no_way(
    practice: Practice, settings: pytest.FixtureRequest, phone: str
) -> None:
    if phone == ANNA.phone:
        settings.SMS_URL = ""  # type: ignore[attr-defined]
    practice.books(NewPatient("Anna", "Smit", phone=phone))
    receive()
    assert sent() == []
