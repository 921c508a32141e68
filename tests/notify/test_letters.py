"""Subjects of mails as servers and readers see them."""

import email
from email.policy import default

import pytest
from django.core import mail
from django.core.mail.message import SafeMIMEMultipart
from django.test import Client

from bookings import tasks
from docbook.notify import written
from docbook.notify.letters import Letter
from docbook.outbox.models import OutboxMessage
from tests.accounts.post import deliver
from tests.bookings.acts import as_patient, attempt, book, bookable, guest
from tests.bookings.receiving import receive
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
    tasks.send_confirmation([asked.pk, asked.handed_out])
    assert_clean(mail.outbox[-1].message().as_bytes())


@pytest.mark.django_db
def test_mails_about_an_account_are_such_letters() -> None:
    patient = make_patient()
    Client().post("/accounts/login/code/", {"email": patient.email})
    Client().post("/accounts/password/reset/", {"email": patient.email})
    mails = deliver()
    assert len(mails) == 2
    assert all(isinstance(each, Letter) for each in mails)


LONG_LINES = "A word and another\r\nand one line more\rand one\n" + "x" * 2000
TEXTS = ["Hello", "", "\n\nBegins late\n", "Grüße, 日本", "From here on\n.\n..", LONG_LINES]


@pytest.mark.parametrize("linesep", ["\n", "\r\n"])
@pytest.mark.parametrize("text", TEXTS)
def test_letter_is_written_as_python_writes_it(text: str, linesep: str) -> None:
    letter = Letter("Grüße, 😀", text, "DocBüro <a@example.test>", ["Jürgen <b@example.test>"])
    letter.extra_headers = {"X-Long": "word " * 40, "X-Two": "a  b", "X-Empty": ""}
    letter.attach_alternative(f"<p>{text}</p>", "text/html")
    letter.attach("visit.ics", text, "text/calendar; method=REQUEST")
    made = letter.message()
    ours = made.as_bytes(linesep=linesep)
    assert ours == SafeMIMEMultipart.as_bytes(made, linesep=linesep)
    assert email.message_from_bytes(ours)["X-Long"]


def test_letter_with_a_picture_is_written_as_python_writes_it() -> None:
    letter = Letter("Hello", "there", to=["b@example.test"])
    letter.attach("dot.png", b"\x00\xff", "image/png")
    made = letter.message()
    assert made.as_bytes() == SafeMIMEMultipart.as_bytes(made)


@pytest.mark.django_db
def test_mails_of_a_booking_are_written_as_python_writes_them() -> None:
    visit_type, slots = bookable(name="Dr Ångström-Łukasiewicz van der Überprüfung-Nachsorge")
    holder = guest()
    attempt(slots[0], visit_type=visit_type, holder=holder)
    receive("otp.requested")
    book(slots[1], visit_type=visit_type, holder=as_patient(make_patient()))
    receive()
    assert len(mail.outbox) >= 2
    for sent in mail.outbox:
        made = sent.message()
        assert made.as_bytes(linesep="\r\n") == SafeMIMEMultipart.as_bytes(made, linesep="\r\n")


def test_boundary_is_in_no_part(monkeypatch) -> None:
    numbers = iter([7, 8])
    monkeypatch.setattr(written.secrets, "randbelow", lambda _below: next(numbers))
    letter = Letter("Hello", f"==============={7:019d}==", to=["b@example.test"])
    letter.attach_alternative("<p>there</p>", "text/html")
    assert f"{8:019d}".encode() in letter.message().as_bytes().partition(b"\n\n")[0]


def assert_clean(written: bytes) -> None:
    head = written.partition(b"\n\n")[0]
    (line,) = [line for line in head.split(b"\n") if line.startswith(b"Subject:")]
    assert line.removeprefix(b"Subject:").strip()
