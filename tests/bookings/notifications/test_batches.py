"""A worker reads, writes and sends the mails of many messages together."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Hold
from bookings.notifications.letters import visits as letters
from docbook.outbox import deliveries, topics
from docbook.outbox.models import OutboxMessage
from docbook.outbox.selectors import outbox_status
from tests.bookings.acts import as_patient, ask_for_code, attempt, bookable, code_of, guest
from tests.bookings.notifications import test_visit_mails as mails
from tests.bookings.notifications.test_visit_mails import Visit, at, body, cancelled, moved, tell
from tests.factories import make_patient
from tests.notify.provider import provider_on_loopback
from tests.smtp import ACCEPTED, Post, post_office

pytestmark = pytest.mark.django_db

NO_SUCH_MAILBOX = "550 5.1.1 no such user"


@pytest.fixture(autouse=True)
def _patience(monkeypatch) -> None:
    """How much goes into one batch must not depend on how busy the machine is."""
    monkeypatch.setattr(deliveries, "LONGEST_BATCH", timedelta(hours=1))


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as post:
        yield post


def work(messages: Sequence[OutboxMessage]) -> list[OutboxMessage]:
    """One task with all of them. Returns those that are not done."""
    current_app.loader.import_default_modules()
    (task,) = {topics.receiver_of(each.topic, name=each.receiver).task for each in messages}
    current_app.tasks[task](*([each.pk, each.handed_out] for each in messages))
    return list(OutboxMessage.objects.filter(pk__in=[each.pk for each in messages], done_at=None))


def somebody() -> str:
    return f"{uuid4().hex}@example.test"


def booked() -> Visit:
    return mails.booked(email=somebody())


def code_message() -> OutboxMessage:
    visit_type, slots = bookable()
    attempt(slots[0], visit_type=visit_type, holder=guest(), email=somebody())
    return OutboxMessage.objects.filter(topic="otp.requested").latest("id")


def confirmed_message() -> OutboxMessage:
    return tell("appointment.confirmed", booked())


def late_confirmation() -> OutboxMessage:
    """The visit was cancelled since."""
    visit = booked()
    message = tell("appointment.confirmed", visit, version=1)
    cancelled(visit)
    return message


def confirmation_of_a_visit_that_moved() -> OutboxMessage:
    before = booked()
    message = tell("appointment.confirmed", before, version=1)
    tell("appointment.moved", moved(before, to=3), previous_id=before.appointment.pk)
    return message


def moved_message() -> OutboxMessage:
    before = booked()
    after = moved(before, to=3)
    return tell("appointment.moved", after, previous_id=before.appointment.pk)


MESSAGES: dict[str, Callable[[], OutboxMessage]] = {
    "code": code_message,
    "confirmed": confirmed_message,
    "confirmed late": late_confirmation,
    "confirmed, and moved since": confirmation_of_a_visit_that_moved,
    "moved": moved_message,
    "updated": lambda: tell("appointment.updated", booked(), version=1),
    "cancelled": lambda: tell("appointment.cancelled", cancelled(booked())),
    "reminder": lambda: tell("appointment.reminder", booked(), kind="2h"),
}


@pytest.fixture(autouse=True)
def _reminders(settings) -> None:
    settings.REMINDER_HOURS = [2]


@pytest.mark.parametrize("kind", MESSAGES)
def test_batch_asks_the_database_no_more_often_for_more_messages(post: Post, kind: str) -> None:
    counts = []
    for size in (2, 2, 9):  # the first fills caches
        messages = [MESSAGES[kind]() for _ in range(size)]
        with CaptureQueriesContext(connection) as queries:
            assert work(messages) == []
        counts.append(len(queries))
    assert counts[1] == counts[2]
    assert len(post.mails) == 13
    assert counts[2] <= 9


def test_each_gets_the_mail_of_their_own_visit(post: Post) -> None:
    visits = [booked() for _ in range(4)]
    work([tell("appointment.confirmed", each) for each in visits])
    for visit, mail in zip(visits, post.mails, strict=True):
        assert mail["To"] == visit.appointment.patient.email
        assert str(visit.appointment.pk) in body(mail, "plain")
        assert mail["Message-ID"] == f"<confirmed-{visit.appointment.pk}-1@docbook>"


def test_moves_of_one_visit_in_a_batch_are_told_each_in_its_version(post: Post) -> None:
    """They are about two appointments, so no order keeps them apart."""
    first = booked()
    second = moved(first, to=2)
    once = tell("appointment.moved", second, version=1, previous_id=first.appointment.pk)
    third = moved(second, to=5, by="secretary", why="She operates")
    twice = tell("appointment.moved", third, version=1, previous_id=second.appointment.pk)
    assert work([once, twice]) == []
    told = [mail["Message-ID"] for mail in post.mails]
    assert told == [f"<moved-{each.appointment.pk}-1@docbook>" for each in (second, third)]
    assert at(second.appointment) in post.mails[0]["Subject"]
    assert at(third.appointment) in post.mails[1]["Subject"]
    assert ["She operates" in body(mail, "plain") for mail in post.mails] == [False, True]


@pytest.mark.parametrize("fault", ["appointment_id", "nobody's"])
def test_message_about_nothing_keeps_no_other_waiting(post: Post, fault: str) -> None:
    messages = [confirmed_message() for _ in range(3)]
    wrong = "not an id" if fault == "appointment_id" else "018f0000-0000-7000-8000-000000000000"
    row = OutboxMessage.objects.filter(pk=messages[1].pk)
    row.update(payload={"appointment_id": wrong})
    assert work(messages) == [messages[1]]
    assert len(post.mails) == 2
    assert row.get().last_error == ("ValueError" if wrong == "not an id" else "DoesNotExist")


def test_mail_that_cannot_be_written_keeps_no_other_waiting(post: Post, monkeypatch) -> None:
    messages = [confirmed_message() for _ in range(3)]
    broken = Hold.objects.get(pk=messages[1].aggregate_id)
    written = letters.confirmation

    def write(told: object, **options: object) -> object:
        if told.appointment.pk == broken.pk:
            raise UnicodeError
        return written(told, **options)

    monkeypatch.setattr(letters, "confirmation", write)
    assert work(messages) == [messages[1]]
    assert len(post.mails) == 2


def test_mailbox_that_refuses_keeps_no_other_waiting(post: Post) -> None:
    messages = [code_message() for _ in range(3)]
    refused = Hold.objects.get(pk=messages[1].aggregate_id).email
    post.answer_to = lambda to: NO_SUCH_MAILBOX if to == refused else ACCEPTED
    assert work(messages) == []
    assert len(post.mails) == 2
    assert outbox_status().refused == 1


def test_codes_that_open_nothing_are_left_out_of_the_batch(post: Post) -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    ask_for_code(hold, holder=holder, email="second@example.test")
    stale = OutboxMessage.objects.get(topic="otp.requested", payload__resend="0")
    assert work([stale, code_message()]) == []
    assert len(post.mails) == 1


def test_batch_by_sms_falls_back_to_mail_one_by_one(post: Post, settings) -> None:
    settings.CODE_CHANNEL = "sms"
    visit_type, slots = bookable()
    holds = [
        attempt(slot, visit_type=visit_type, holder=as_patient(make_patient()), phone=phone)
        for slot, phone in zip(
            slots, ("+31 6 5550 0001", "+31 6 5550 0002", "06 5550 0003"), strict=False
        )
    ]
    messages = list(OutboxMessage.objects.filter(topic="otp.requested").order_by("id"))
    with provider_on_loopback() as provider:
        settings.SMS_URL = provider.url
        taken = provider.answer
        provider.answer = lambda asked: (
            (503, {"code": 1, "message": "", "status": 503})
            if asked.form["To"].endswith("0002")
            else taken(asked)
        )
        assert work(messages) == []
        assert [asked.form["To"] for asked in provider.asked] == ["+31655500001", "+31655500002"]
    texts = [body(mail, "plain") for mail in post.mails]
    assert [code_of(hold) in text for hold, text in zip(holds[1:], texts, strict=True)] == [
        True
    ] * 2
