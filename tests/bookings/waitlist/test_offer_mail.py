"""The mail of an offer: what it says, where its link leads, and when it is not sent."""

import re

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from bookings import tasks
from bookings.models import Hold
from bookings.waitlist.services.offers import accept_offer, decline_offer
from docbook.outbox.models import OutboxMessage
from doctors.templatetags.clinic_time import clock
from tests.bookings.acts import let_expire
from tests.bookings.waitlist.acts import awaited, in_line, release
from tests.days_said import day_said

pytestmark = pytest.mark.django_db


def offered() -> Hold:
    visit_type, slots = awaited()
    in_line(visit_type, count=1)
    (offer,) = release(*slots)
    return offer


def work() -> OutboxMessage:
    """A worker receives the message of the offer."""
    message = OutboxMessage.objects.get(topic="waitlist.offered")
    tasks.send_offer([message.pk, message.handed_out])
    message.refresh_from_db()
    return message


def html_of(message: EmailMultiAlternatives) -> str:
    ((html, _kind),) = message.alternatives
    return str(html)


def test_mail_says_what_is_held_and_until_when_and_leads_to_it(client) -> None:
    offer = offered()
    assert work().done_at is not None
    (message,) = mail.outbox
    zone = offer.clinic.zone
    start, until = offer.starts_at.astimezone(zone), clock(offer.expires_at, zone)
    assert message.to == [offer.email]
    assert message.subject == (
        f"Held for you until {until}: {day_said(start, '%a', '%B')}, {start:%H:%M}, Dr Emma Visser"
    )
    for body in (message.body, html_of(message)):
        for fact in (f"{start:%H:%M}", until, "Dr Emma Visser", "Maliebaan 42"):
            assert fact in body
    links = {
        re.search(r"http\S+/waitlist/offers/[^\s\"]+", body)[0]
        for body in (message.body, html_of(message))
    }
    (link,) = links
    page = client.get(link.removeprefix("http://localhost:8000"))
    assert page.status_code == 200
    assert "Take this time" in page.content.decode()


def test_mail_names_neither_the_specialty_nor_the_patient_in_its_subject_or_link() -> None:
    offer = offered()
    work()
    (message,) = mail.outbox
    assert offer.doctor.specialty.name not in message.subject + message.body + html_of(message)
    assert offer.doctor.specialty.practitioner not in message.body + html_of(message)
    (link,) = re.findall(r"http\S+/waitlist/\S+", message.body)
    for private in (offer.email, "Bakker", str(offer.patient_id)):
        assert private not in link.removeprefix("http://localhost:8000").split("/")
        assert "@" not in link


def test_earlier_time_says_that_the_visit_is_kept() -> None:
    offer = offered()
    Hold.objects.filter(pk=offer.pk).update(replaces=offer.pk)
    work()
    (message,) = mail.outbox
    assert "An earlier time is held for you" in message.body
    assert "You keep the visit you have" in message.body


@pytest.mark.parametrize("fate", ["ran out", "declined", "taken"])
def test_offer_that_is_over_is_not_mailed(fate: str) -> None:
    offer = offered()
    if fate == "ran out":
        let_expire(offer)
    else:
        act = decline_offer if fate == "declined" else accept_offer
        act(offer_id=offer.pk, patient=offer.patient)
    assert work().done_at is not None
    assert mail.outbox == []


def test_message_that_comes_twice_is_mailed_once() -> None:
    offered()
    work()
    work()
    assert len(mail.outbox) == 1
