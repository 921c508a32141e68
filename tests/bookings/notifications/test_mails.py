"""The mails of a booking, as the outbox and its workers send them."""

import re
import smtplib
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from icalendar import Calendar

from bookings import tasks
from bookings.engine.services import release_hold
from bookings.models import Appointment, Hold
from docbook.outbox.models import OutboxMessage
from docbook.references import reference
from tests.bookings.acts import (
    ask_for_code,
    attempt,
    book,
    bookable,
    code_of,
    guest,
    let_expire,
)
from tests.factories import make_clinic, make_doctor, make_slots, make_visit_type

pytestmark = pytest.mark.django_db


def work(topic: str) -> OutboxMessage:
    """A worker receives the newest message of this topic."""
    task = {"otp.requested": tasks.send_code, "appointment.confirmed": tasks.send_confirmation}
    message = OutboxMessage.objects.filter(topic=topic).latest("id")
    task[topic]([message.pk, message.handed_out])
    message.refresh_from_db()
    return message


def html_of(message: EmailMultiAlternatives) -> str:
    ((html, kind),) = [part for part in message.alternatives if part[1] == "text/html"]
    assert kind == "text/html"
    return str(html)


def in_utrecht(starts_at: datetime) -> tuple[object, list]:
    doctor = make_doctor(horizon_days=365, clinic=make_clinic(time_zone="Europe/Amsterdam"))
    visit_type = make_visit_type(doctor=doctor)
    return visit_type, make_slots(doctor=doctor, starts_at=starts_at)


def test_code_goes_to_the_address_that_was_typed_and_stands_in_text_and_html() -> None:
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=guest())
    assert work("otp.requested").done_at is not None
    (message,) = mail.outbox
    code = code_of(hold)
    assert message.to == ["saskia.kuipers@example.test"]
    assert message.subject == "Your DocBook code"
    for body in (message.body, html_of(message)):
        assert code in re.sub(r"(\d{3})\s(\d{3})", r"\1\2", body)
    assert code not in message.subject


def test_code_mail_says_until_when_by_the_clock_of_the_clinic() -> None:
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=guest())
    work("otp.requested")
    local = hold.expires_at.astimezone(hold.clinic.zone)
    assert f"Valid until {local:%H:%M}" in mail.outbox[0].body


def test_code_mail_of_a_move_says_that_the_old_time_stays() -> None:
    visit_type, slots = bookable()
    visit = book(slots[0], visit_type=visit_type, holder=guest())
    hold = attempt(slots[1], visit_type=visit_type, holder=guest())
    Hold.objects.filter(pk=hold.pk).update(replaces=visit.pk)
    work("otp.requested")
    for body in (mail.outbox[-1].body, html_of(mail.outbox[-1])):
        assert "It moves your visit to" in body
        assert "until then the old time stays yours" in body
        assert "where you booked" not in body


def test_message_that_comes_twice_is_mailed_once() -> None:
    visit_type, slots = bookable()
    attempt(slots[0], visit_type=visit_type, holder=guest())
    work("otp.requested")
    work("otp.requested")
    assert len(mail.outbox) == 1


def test_code_that_a_newer_one_has_replaced_is_not_sent() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    ask_for_code(hold, holder=holder, email="second@example.test")
    stale = OutboxMessage.objects.filter(topic="otp.requested").earliest("id")
    tasks.send_code([stale.pk, stale.handed_out])
    stale.refresh_from_db()
    assert mail.outbox == []
    assert stale.done_at is not None
    work("otp.requested")
    assert [message.to for message in mail.outbox] == [["second@example.test"]]


@pytest.mark.parametrize("how", ["expired", "given back", "confirmed"])
def test_code_of_a_hold_that_is_over_is_not_sent(how: str) -> None:
    visit_type, slots = bookable()
    holder = guest()
    if how == "confirmed":
        book(slots[0], visit_type=visit_type, holder=holder)
    else:
        hold = attempt(slots[0], visit_type=visit_type, holder=holder)
        if how == "expired":
            let_expire(hold)
        else:
            release_hold(hold_id=hold.pk, holder=holder)
    assert work("otp.requested").done_at is not None
    assert mail.outbox == []


def test_mail_that_cannot_be_sent_is_tried_again(monkeypatch) -> None:
    visit_type, slots = bookable()
    attempt(slots[0], visit_type=visit_type, holder=guest())

    def refuse(*_args: object, **_options: object) -> None:
        raise smtplib.SMTPServerDisconnected

    with monkeypatch.context() as patched:
        patched.setattr(EmailMultiAlternatives, "send", refuse)
        message = work("otp.requested")
    assert message.done_at is None
    assert message.last_error == "SMTPServerDisconnected"
    assert work("otp.requested").done_at is not None
    assert len(mail.outbox) == 1


def test_repeat_of_a_mail_has_the_message_id_of_the_first() -> None:
    visit_type, slots = bookable()
    attempt(slots[0], visit_type=visit_type, holder=guest())
    first = work("otp.requested")
    # The worker died after the mail was sent and before it could record that.
    OutboxMessage.objects.filter(pk=first.pk).update(done_at=None)
    first.deliveries.update(delivered_at=None)
    work("otp.requested")
    ids = [message.message()["Message-ID"] for message in mail.outbox]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_confirmation_names_the_time_the_place_the_doctor_and_the_patient() -> None:
    visit_type, slots = bookable()
    appointment = book(slots[0], visit_type=visit_type, holder=guest())
    work("appointment.confirmed")
    message = mail.outbox[-1]
    local = appointment.starts_at.astimezone(appointment.clinic.zone)
    assert message.to == ["saskia.kuipers@example.test"]
    for body in (message.body, html_of(message)):
        for fact in (f"{local:%H:%M}", "Dr Emma Visser", "Maliebaan 42", "Saskia Kuipers"):
            assert fact in body
        assert reference(appointment.pk) in body
        assert f"/appointments/{appointment.pk}/" in body


def test_confirmation_keeps_the_reason_of_the_visit_to_itself() -> None:
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=guest(), reason="A secret worry")
    work("appointment.confirmed")
    assert "secret" not in mail.outbox[-1].message().as_string()


@pytest.mark.parametrize("starts_at", ["winter", "summer"])
def test_calendar_file_of_the_mail_names_the_right_instant(starts_at: str) -> None:
    soon = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0)
    day = soon + timedelta(days=7 if starts_at == "winter" else 200)
    visit_type, slots = in_utrecht(day)
    appointment = book(slots[0], visit_type=visit_type, holder=guest())
    work("appointment.confirmed")
    ((name, content, kind),) = mail.outbox[-1].attachments
    assert name == "appointment.ics"
    assert kind == "text/calendar; method=REQUEST"
    calendar = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert calendar["VERSION"] == "2.0"
    assert event["DTSTART"].dt == day
    assert event["DTEND"].dt == day + timedelta(minutes=20)
    assert event["UID"] == f"{appointment.pk}@docbook"
    assert event["SEQUENCE"] == 0
    assert "Maliebaan 42" in event["LOCATION"]
    assert "Saskia" not in content
    assert all(len(line.encode()) <= 75 for line in content.split("\r\n"))


def test_name_with_markup_and_a_line_break_does_no_harm() -> None:
    """The reverse of an injection: typed text arrives as it was typed, and as nothing else."""
    visit_type, slots = bookable()
    book(
        slots[0],
        visit_type=visit_type,
        holder=guest(),
        first_name="<script>alert(1)</script>",
        last_name="Bcc: everybody@example.test",
    )
    work("appointment.confirmed")
    message = mail.outbox[-1]
    assert "<script>alert" not in html_of(message)
    assert message.recipients() == ["saskia.kuipers@example.test"]


def test_doctor_with_a_line_break_in_the_name_makes_no_header() -> None:
    doctor = make_doctor(name="Dr Evil\r\nBcc: everybody@example.test")
    visit_type, slots = make_visit_type(doctor=doctor), make_slots(doctor=doctor)
    book(slots[0], visit_type=visit_type, holder=guest())
    work("appointment.confirmed")
    sent = mail.outbox[-1].message()
    assert sent["Bcc"] is None
    assert "\n" not in str(mail.outbox[-1].subject)


def test_confirmation_goes_where_the_code_went_even_if_the_account_has_another_address() -> None:
    visit_type, slots = bookable()
    appointment = book(slots[0], visit_type=visit_type, holder=guest())
    patient = Appointment.objects.get(pk=appointment.pk).patient
    patient.email = "moved@example.test"
    patient.save()
    work("appointment.confirmed")
    assert mail.outbox[-1].to == [Hold.objects.get(pk=appointment.pk).email]
