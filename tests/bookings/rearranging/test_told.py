"""The mails of a decision, as a mail server gets them."""

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from bookings.engine.links import other_times_token
from bookings.models import Choice, Hold, RearrangedVisit
from bookings.rearranging.selectors import offered_times
from docbook.outbox import topics
from docbook.outbox.models import OutboxMessage
from tests.bookings.acts import let_expire
from tests.bookings.rearranging.scenes import WHY, day_off, works_through
from tests.smtp import Post, post_office

pytestmark = pytest.mark.django_db

SITE = "https://docbook.example.test"


@pytest.fixture
def post(settings) -> Iterator[Post]:
    settings.SITE_URL = SITE
    with post_office() as post:
        yield post


def deliver(topic: str) -> OutboxMessage:
    """A worker receives every message of this topic."""
    current_app.loader.import_default_modules()
    task = current_app.tasks[topics.receiver_of(topic, name="").task]
    for message in OutboxMessage.objects.filter(topic=topic, done_at=None):
        task([message.pk, message.handed_out])
    return OutboxMessage.objects.filter(topic=topic).latest("pk")


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def test_a_worker_carries_the_decision_out_by_its_message() -> None:
    scene = day_off(count=2)
    decision = scene.decides(Choice.CANCEL)
    assert deliver("visits.rearranged").done_at is not None
    assert {each.state for each in decision.items.all()} == {"done"}


def test_other_times_are_listed_with_the_link_and_the_reason(post: Post) -> None:
    scene = day_off(count=1)
    works_through(scene.decides(Choice.OFFER))
    deliver("times.offered")
    (mail,) = post.mails
    item = RearrangedVisit.objects.get()
    assert mail["To"] == scene.visits[0].patient.email
    assert mail["Subject"].startswith("Please choose another time: Dr Emma Visser cannot see you")
    text = text_of(mail)
    assert f"Dr Emma Visser cannot see you at this time: {WHY}" in text
    assert f"{SITE}/appointments/other-times/{other_times_token(item)}/" in text
    assert "They are held until" in text
    page = mail.get_body(("html",)).get_content()
    assert f"{SITE}/appointments/other-times/" in page
    assert not list(mail.iter_attachments())


def test_each_patient_gets_one_mail_however_often_the_message_comes(post: Post) -> None:
    scene = day_off(count=2)
    works_through(scene.decides(Choice.OFFER))
    deliver("times.offered")
    deliver("times.offered")
    assert len({mail["To"] for mail in post.mails}) == len(post.mails) == 2


def test_times_that_are_over_are_not_mailed(post: Post) -> None:
    scene = day_off(count=1)
    works_through(scene.decides(Choice.OFFER))
    for hold in Hold.objects.filter(state="held"):
        let_expire(hold)
    assert deliver("times.offered").done_at is not None
    assert post.mails == []


def test_another_doctor_is_named_and_the_entry_in_the_calendar_changes(post: Post) -> None:
    scene = day_off(count=1)
    works_through(scene.decides(Choice.HAND_OVER, colleague=scene.colleague()))
    deliver("appointment.moved")
    (mail,) = post.mails
    assert mail["Subject"].startswith("Dr Jan de Boer instead of Dr Emma Visser: ")
    assert f"You see Dr Jan de Boer instead of Dr Emma Visser: {WHY}" in text_of(mail)
    assert "The time and the place stay." in text_of(mail)
    assert WHY in mail.get_body(("html",)).get_content()
    (attached,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    (event,) = Calendar.from_ical(attached.get_content()).walk("VEVENT")
    assert "Dr Jan de Boer" in event["SUMMARY"]
    assert event["SEQUENCE"] > 0


def test_offers_cost_as_many_queries_for_many_as_for_one() -> None:
    counts = []
    for number in (1, 3):
        scene = day_off(count=number, later=9)
        works_through(scene.decides(Choice.OFFER))
        item_ids = RearrangedVisit.objects.order_by("-pk").values_list("pk", flat=True)[:number]
        with CaptureQueriesContext(connection) as queries:
            found = offered_times(list(item_ids))
            assert all(each.times and each.item.rearrangement.reason for each in found.values())
        assert len(found) == number
        counts.append(len(queries))
    assert counts[0] == counts[1]
