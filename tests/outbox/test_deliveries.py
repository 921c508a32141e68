"""A message goes out once by each channel; uncertain copies are counted."""

import json
import smtplib
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from celery import current_app
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from devstack.ports import free_port
from docbook.notify.email import REFUSALS, send_email
from docbook.outbox import topics
from docbook.outbox.deliveries import deliver_all, was_delivered
from docbook.outbox.management.commands import relay_outbox
from docbook.outbox.models import OutboxDelivery, OutboxMessage
from docbook.outbox.services import publish
from tests.concurrency.rush import rush
from tests.outbox.relay import TOPIC, URGENT, failing, tell, work
from tests.smtp import post_office

pytestmark = pytest.mark.django_db


class WorkerDied(BaseException):
    """A signal ends a process without any code of ours noticing."""


def status() -> dict[str, int]:
    out = StringIO()
    call_command("outbox_status", "--json", stdout=out)
    return json.loads(out.getvalue())


def send(message: OutboxMessage, act: Callable[[], object], *, channel: str = "email") -> None:
    for error in deliver_all({message.pk: act}, channel=channel, refusals=REFUSALS).values():
        raise error


def dies() -> None:
    raise WorkerDied


def refuses() -> None:
    raise smtplib.SMTPDataError(451, b"later")


def falls_silent() -> None:
    raise smtplib.SMTPServerDisconnected


def test_what_went_out_by_a_channel_does_not_go_out_by_it_again() -> None:
    message, sent = tell("a"), []
    for _ in range(2):
        send(message, lambda: sent.append("once"))
    assert sent == ["once"]
    assert (status()["delivered"], status()["duplicates"]) == (1, 0)


def test_channels_of_a_message_are_counted_apart() -> None:
    message, sent = tell("a"), []
    for channel in ("sms", "email"):
        send(message, lambda channel=channel: sent.append(channel), channel=channel)
    assert sent == ["sms", "email"]
    assert status()["delivered"] == 2


def test_copy_of_a_worker_that_died_before_it_could_tell_is_counted() -> None:
    message = tell("a")
    with pytest.raises(WorkerDied):
        send(message, dies)
    assert not was_delivered(message.pk)
    send(message, lambda: None)
    assert was_delivered(message.pk)
    assert (status()["delivered"], status()["duplicates"]) == (1, 1)


def test_copy_that_the_server_refused_is_none() -> None:
    message = tell("a")
    with pytest.raises(smtplib.SMTPDataError):
        send(message, refuses)
    send(message, lambda: None)
    assert (status()["delivered"], status()["duplicates"]) == (1, 0)


def test_copy_to_a_server_that_fell_silent_may_have_arrived() -> None:
    message = tell("a")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(message, falls_silent)
    send(message, lambda: None)
    assert status()["duplicates"] == 1


def test_server_that_is_not_there_makes_no_duplicates() -> None:
    message = tell("a")
    mail = EmailMessage("Hello", "there", to=["saskia@example.test"])
    with post_office() as post:
        with override_settings(EMAIL_PORT=free_port()), pytest.raises(ConnectionRefusedError):
            send_email(mail, message_id=message.pk)
        for _ in range(2):
            send_email(mail, message_id=message.pk)
    assert len(post.mails) == 1
    assert status()["duplicates"] == 0


def test_attempt_that_fails_after_the_mail_is_out_sends_nothing_again() -> None:
    """The receiver's own failure comes after the delivery was recorded."""
    message, sent = tell("a"), []

    def handle() -> None:
        send(message, lambda: sent.append("once"))
        if len(sent) == 1:
            sent.append("failed")
            raise OSError

    work(message, handle=handle)
    work(message, handle=handle)
    message.refresh_from_db()
    assert sent == ["once", "failed"]
    assert message.done_at is not None


def test_status_tells_what_waits_since_when_and_what_was_given_up() -> None:
    waiting, dead, done = tell("a"), tell("b"), tell("c")
    now = timezone.now()
    old = OutboxMessage.objects.filter(pk=waiting.pk)
    old.update(created_at=now - timedelta(seconds=90))
    OutboxMessage.objects.filter(pk=dead.pk).update(dead_at=now, created_at=now - timedelta(days=2))
    work(done, handle=lambda: None)
    found = status()
    assert 90 <= found.pop("oldest_seconds") < 120
    assert found == {"waiting": 1, "dead": 1, "refused": 0, "delivered": 0, "duplicates": 0}


def test_status_of_an_empty_outbox_is_readable_and_all_zero() -> None:
    out = StringIO()
    call_command("outbox_status", stdout=out)
    lines = out.getvalue().splitlines()
    assert [line.split()[-1] for line in lines] == ["0"] * 6
    assert lines[0].startswith("Waiting")


def test_deliveries_go_with_their_message() -> None:
    message = tell("a")
    send(message, lambda: None)
    message.delete()
    assert not OutboxDelivery.objects.exists()


def test_fact_that_is_found_twice_is_told_once() -> None:
    for _ in range(2):
        with transaction.atomic():
            publish(TOPIC, about="a", once="reminder-1")
    with transaction.atomic():
        publish(TOPIC, about="a", once="reminder-2")
    assert OutboxMessage.objects.count() == 2


@pytest.mark.parametrize("once", [None, "reminder-1"])
def test_publishing_is_one_statement(once, django_assert_num_queries) -> None:
    with transaction.atomic(), django_assert_num_queries(1):
        publish(TOPIC, about="a", once=once)


@pytest.mark.django_db(transaction=True)
def test_fact_that_is_found_by_many_at_once_is_told_once() -> None:
    def find(_number: int) -> None:
        with transaction.atomic():
            publish(TOPIC, about="a", once="reminder-1")

    assert rush(find, range(8)) == [None] * 8
    assert OutboxMessage.objects.count() == 1


def test_thousand_mails_that_wait_for_their_workers_keep_no_code_waiting(monkeypatch) -> None:
    sent, full = [], {topics.MAIL}
    monkeypatch.setattr(relay_outbox, "_has_room", lambda queue: queue not in full)
    monkeypatch.setattr(relay_outbox, "_send", lambda to, copies: sent.append((to.task, copies)))
    mail, code = tell("a"), tell("b", topic=URGENT)
    call_command("relay_outbox", "--once")
    assert sent == [("test.urgent_task", [(code.pk, 1)])]
    full.clear()
    call_command("relay_outbox", "--once")
    assert sent[1:] == [("test.task", [(mail.pk, 1)])]


def test_upkeep_that_waits_for_its_worker_is_copied_no_further_and_keeps_no_mail_waiting(
    monkeypatch,
) -> None:
    """Each lease that ends would add a copy to a queue that nobody reads."""
    sent, full = [], {topics.UPKEEP}
    monkeypatch.setattr(relay_outbox, "_has_room", lambda queue: queue not in full)
    monkeypatch.setattr(relay_outbox, "_send", lambda to, copies: sent.append((to.task, copies)))
    hours, mail = tell("a", topic="hours.changed"), tell("b")
    call_command("relay_outbox", "--once")
    assert sent == [("test.task", [(mail.pk, 1)])]
    full.clear()
    call_command("relay_outbox", "--once")
    assert sent[1:] == [("doctors.carry_out_expansion", [(hours.pk, 1)])]


def test_queue_has_no_room_while_its_workers_are_far_behind(monkeypatch) -> None:
    name = f"test-{uuid4().hex}"
    monkeypatch.setattr(relay_outbox, "MOST_QUEUED", 2)
    with current_app.pool.acquire(block=True) as broker, broker.SimpleQueue(name) as queue:
        for _ in range(2):
            queue.put({})
        assert not relay_outbox._has_room(name)
        queue.get().ack()
        assert relay_outbox._has_room(name)
        queue.clear()


def test_failing_send_leaves_no_transaction_behind() -> None:
    """The record written before the send stays, whatever happens to the send."""
    message = tell("a")
    work(message, handle=failing(OSError()))
    assert not connection.needs_rollback
