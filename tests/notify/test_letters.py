"""Subjects of mails as servers and readers see them."""

import email
from email.policy import default

import pytest
from django.core import mail
from django.test import Client

from bookings import tasks
from docbook.notify.letters import Letter
from docbook.outbox.models import OutboxMessage
from tests.accounts.post import deliver
from tests.bookings.acts import book, bookable, guest
from tests.factories import make_patient

LONG = "Überprüfung der Haut und Nachsorge mit Ångström-Łukasiewicz, Mon 30 November, 10:00"
SUBJECTS = [
    "Hi",
    LONG,
    LONG * 5,
    "ñ" * 200,
    "短い" * 60,
    "x" * 200,
    f"{'x' * 70} and more",
    "Skin check, 😀, " * 9 + "end",
    "A visit on some day at some clinic " * 9 + "end",
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subject_begins_beside_its_name_and_comes_back_whole(subject: str) -> None:
    written = Letter(subject, "Hello", to=["a@example.test"]).message().as_bytes()
    assert_clean(written)
    assert email.message_from_bytes(written, policy=default)["Subject"] == subject


@pytest.mark.django_db
def test_confirmation_of_a_long_name_begins_beside_its_name() -> None:
    visit_type, slots = bookable(name="Dr Ångström-Łukasiewicz van der Überprüfung-Nachsorge")
    book(slots[0], visit_type=visit_type, holder=guest())
    asked = OutboxMessage.objects.get(topic="appointment.confirmed")
    tasks.send_confirmation(asked.pk, asked.handed_out)
    assert_clean(mail.outbox[-1].message().as_bytes())


@pytest.mark.django_db
def test_mails_about_an_account_are_such_letters() -> None:
    patient = make_patient()
    Client().post("/accounts/login/code/", {"email": patient.email})
    Client().post("/accounts/password/reset/", {"email": patient.email})
    mails = deliver()
    assert len(mails) == 2
    assert all(isinstance(each, Letter) for each in mails)


def assert_clean(written: bytes) -> None:
    head = written.partition(b"\n\n")[0]
    (line,) = [line for line in head.split(b"\n") if line.startswith(b"Subject:")]
    assert line.removeprefix(b"Subject:").strip()
