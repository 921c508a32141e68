"""Facts are told once they are committed: in order, until somebody has received them."""

import smtplib
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from docbook.outbox.models import OutboxMessage
from docbook.outbox.services import DEAD_AFTER, LEASE, pass_on, publish, receive, retry
from tests.outbox.relay import TOPIC, failing, relay, tell, wake

pytestmark = pytest.mark.django_db


def seconds_until_next_attempt(message: OutboxMessage) -> float:
    message.refresh_from_db()
    return (message.next_attempt_at - timezone.now()).total_seconds()


def make_old(message: OutboxMessage) -> None:
    long_ago = timezone.now() - DEAD_AFTER - timedelta(minutes=1)
    OutboxMessage.objects.filter(pk=message.pk).update(created_at=long_ago)


def test_messages_go_in_the_order_in_which_they_were_published() -> None:
    messages = [tell(about) for about in ("a", "b", "c")]
    assert relay() == [message.pk for message in messages]


def test_second_message_about_a_thing_waits_for_the_first_to_be_done() -> None:
    first, second, other = tell("a"), tell("a"), tell("b")
    assert relay() == [first.pk, other.pk]
    wake(second)
    assert relay() == []
    receive(first.pk, handle=lambda: None)
    assert relay() == [second.pk]


def test_message_that_was_given_up_does_not_hold_back_the_next() -> None:
    first, second = tell("a"), tell("a")
    relay()
    make_old(first)
    receive(first.pk, handle=failing(ValueError()))
    assert relay() == [second.pk]


def test_sent_message_is_not_sent_again_while_a_worker_has_it() -> None:
    message = tell("a")
    relay()
    assert relay() == []
    assert 55 < seconds_until_next_attempt(message) <= LEASE.total_seconds()


def test_message_of_a_worker_that_died_is_sent_again_after_its_lease() -> None:
    message = tell("a")
    relay()
    wake(message)
    assert relay() == [message.pk]
    message.refresh_from_db()
    assert message.attempts == 2


def test_relay_that_dies_while_sending_loses_nothing() -> None:
    messages = [tell(about) for about in "abc"]

    def broker_gone(_task: str, _message_id: int) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        pass_on(send=broker_gone)
    wake(*messages)
    assert relay() == [message.pk for message in messages]


def test_batch_is_as_long_as_asked_for() -> None:
    messages = [tell(about) for about in "abcd"]
    assert relay(limit=3) == [message.pk for message in messages[:3]]
    assert relay(limit=3) == [messages[3].pk]


def test_receiver_gets_the_ids_once_and_settles_the_message() -> None:
    message, got = tell("a", hold_id=7), []
    for _ in range(2):
        receive(message.pk, handle=lambda **ids: got.append(ids))
    assert got == [{"hold_id": "7"}]
    wake(message)
    assert relay() == []


def test_message_that_does_not_exist_is_received_by_nobody() -> None:
    receive(987654321, handle=failing(AssertionError()))


def test_failure_is_tried_again_later_and_later() -> None:
    message, pauses = tell("a"), []
    for _ in range(8):
        relay()
        receive(message.pk, handle=failing(smtplib.SMTPServerDisconnected()))
        pauses.append(round(seconds_until_next_attempt(message)))
        wake(message)
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]


def test_failure_is_noted_by_its_kind_and_never_by_its_text(caplog) -> None:
    message = tell("a")
    refused = smtplib.SMTPRecipientsRefused({"saskia@example.test": (550, b"no such user")})
    receive(message.pk, handle=failing(refused))
    message.refresh_from_db()
    assert message.last_error == "SMTPRecipientsRefused"
    assert "saskia" not in caplog.text


def test_success_after_a_failure_clears_the_error() -> None:
    message = tell("a")
    receive(message.pk, handle=failing(OSError()))
    receive(message.pk, handle=lambda: None)
    message.refresh_from_db()
    assert message.done_at is not None
    assert message.last_error == ""


def test_message_is_given_up_after_a_day_and_not_before() -> None:
    young, old = tell("a"), tell("b")
    make_old(old)
    for message in (young, old):
        receive(message.pk, handle=failing(OSError()))
        message.refresh_from_db()
    assert young.dead_at is None
    assert old.dead_at is not None
    wake(old)
    assert relay() == []


def test_message_that_was_given_up_can_be_woken_for_another_day() -> None:
    message, done = tell("a"), tell("b")
    receive(done.pk, handle=lambda: None)
    make_old(message)
    receive(message.pk, handle=failing(OSError()))
    assert retry(message_ids=[message.pk, done.pk]) == 1
    assert relay() == [message.pk]
    receive(message.pk, handle=failing(OSError()))
    message.refresh_from_db()
    assert message.dead_at is None


def test_topic_without_a_receiver_is_refused_where_it_is_published() -> None:
    with transaction.atomic(), pytest.raises(KeyError):
        publish("nobody.listens", about=1)


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_of_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        publish(TOPIC, about=1)
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_message_of_a_change_that_was_undone_is_never_sent() -> None:
    with transaction.atomic():
        publish(TOPIC, about=1)
        transaction.set_rollback(True)
    assert relay() == []
