"""Facts are sent once they are committed: in order, until somebody has received them."""

import smtplib
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from docbook.outbox.models import OutboxMessage
from docbook.outbox.receiving import DEAD_AFTER, LEASE, LEAST_ATTEMPTS, receive
from docbook.outbox.services import pass_on, publish, retry
from docbook.outbox.tasks import purge_done_messages
from tests.outbox.relay import TOPIC, alone, failing, relay, tell, wake, work

pytestmark = pytest.mark.django_db


def seconds_until_next_attempt(message: OutboxMessage) -> float:
    message.refresh_from_db()
    return (message.next_attempt_at - timezone.now()).total_seconds()


LONG_AGO = DEAD_AFTER + timedelta(minutes=1)


def make_old(message: OutboxMessage) -> None:
    """It has failed for a day, and its next failure is the last."""
    since = timezone.now() - LONG_AGO
    OutboxMessage.objects.filter(pk=message.pk).update(
        created_at=since, failing_since=since, attempts=LEAST_ATTEMPTS - 1
    )


def test_messages_go_in_the_order_in_which_they_were_published() -> None:
    messages = [tell(about) for about in ("a", "b", "c")]
    assert relay() == [message.pk for message in messages]


def test_second_message_about_a_thing_waits_for_the_first_to_be_done() -> None:
    first, second, other = tell("a"), tell("a"), tell("b")
    assert relay() == [first.pk, other.pk]
    wake(second)
    assert relay() == []
    work(first, handle=lambda: None)
    assert relay() == [second.pk]


def test_message_that_was_given_up_does_not_hold_back_the_next() -> None:
    first, second = tell("a"), tell("a")
    relay()
    make_old(first)
    work(first, handle=failing(ValueError()))
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


def test_attempts_are_counted_where_they_are_made_and_not_where_they_are_handed_out() -> None:
    message = tell("a")
    for _ in range(3):
        relay()
        wake(message)
    work(message, handle=failing(OSError()))
    message.refresh_from_db()
    assert (message.attempts, message.handed_out) == (1, 4)


def test_relay_that_dies_while_sending_loses_nothing() -> None:
    messages = [tell(about) for about in "abc"]

    def broker_gone(_receiver: object, _copies: object) -> None:
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
        work(message, handle=lambda **ids: got.append(ids))
    assert got == [{"hold_id": "7"}]
    wake(message)
    assert relay() == []


def test_message_that_does_not_exist_is_received_by_nobody() -> None:
    receive([(987654321, 1)], handle=alone(failing(AssertionError())))


def test_failure_is_tried_again_later_and_later() -> None:
    message, pauses = tell("a"), []
    for _ in range(8):
        relay()
        work(message, handle=failing(smtplib.SMTPServerDisconnected()))
        pauses.append(round(seconds_until_next_attempt(message)))
        wake(message)
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("failing_for", "pause"),
    [
        (timedelta(minutes=5), timedelta(minutes=1)),
        (timedelta(minutes=30), timedelta(minutes=3)),
        (timedelta(hours=9), timedelta(minutes=54)),
        (timedelta(hours=20), timedelta(hours=1)),
    ],
)
def test_pause_grows_with_the_time_of_the_failure_up_to_an_hour(failing_for, pause) -> None:
    message = tell("a")
    since = timezone.now() - failing_for
    OutboxMessage.objects.filter(pk=message.pk).update(failing_since=since, attempts=10)
    work(message, handle=failing(OSError()))
    assert abs(seconds_until_next_attempt(message) - pause.total_seconds()) < 5


def test_pauses_of_a_day_leave_enough_attempts_to_give_the_message_up() -> None:
    message, passed, attempts = tell("a"), timedelta(), 0
    row = OutboxMessage.objects.filter(pk=message.pk)
    while passed < DEAD_AFTER:
        row.update(failing_since=timezone.now() - passed)
        work(message, handle=failing(OSError()))
        passed += timedelta(seconds=seconds_until_next_attempt(message))
        attempts += 1
    assert LEAST_ATTEMPTS < attempts < 100


def test_failure_is_noted_by_its_kind_and_never_by_its_text(caplog) -> None:
    message = tell("a")
    refused = smtplib.SMTPRecipientsRefused({"saskia@example.test": (550, b"no such user")})
    work(message, handle=failing(refused))
    message.refresh_from_db()
    assert message.last_error == "SMTPRecipientsRefused"
    assert "saskia" not in caplog.text


def test_success_after_a_failure_clears_the_error() -> None:
    message = tell("a")
    work(message, handle=failing(OSError()))
    work(message, handle=lambda: None)
    message.refresh_from_db()
    assert message.done_at is not None
    assert message.last_error == ""


def test_message_is_given_up_after_a_day_and_not_before() -> None:
    young, old = tell("a"), tell("b")
    make_old(old)
    for message in (young, old):
        work(message, handle=failing(OSError()))
        message.refresh_from_db()
    assert young.dead_at is None
    assert old.dead_at is not None
    wake(old)
    assert relay() == []


@pytest.mark.parametrize("failures_before", [0, 3])
def test_day_without_workers_is_no_day_of_failures(failures_before: int) -> None:
    """Otherwise everything that waited would be lost to the first failure once they are back."""
    message = tell("a")
    for _ in range(failures_before):
        work(message, handle=failing(OSError()))
    long_ago, row = timezone.now() - LONG_AGO, OutboxMessage.objects.filter(pk=message.pk)
    row.update(created_at=long_ago)
    row.exclude(failing_since=None).update(failing_since=long_ago)
    work(message, handle=failing(OSError()))
    message.refresh_from_db()
    assert message.dead_at is None
    wake(message)
    assert relay() == [message.pk]


def test_topic_that_a_relay_meets_late_is_not_given_up_at_once() -> None:
    unknown = tell("a")
    of_a_newer_release(unknown)
    OutboxMessage.objects.filter(pk=unknown.pk).update(created_at=timezone.now() - LONG_AGO)
    assert relay() == []
    unknown.refresh_from_db()
    assert (unknown.dead_at, unknown.attempts) == (None, 1)


def test_message_that_was_given_up_can_be_woken_for_another_day() -> None:
    message, done = tell("a"), tell("b")
    work(done, handle=lambda: None)
    make_old(message)
    work(message, handle=failing(OSError()))
    assert retry(message_ids=[message.pk, done.pk]) == 1
    assert relay() == [message.pk]
    work(message, handle=failing(OSError()))
    message.refresh_from_db()
    assert message.dead_at is None


def test_only_the_newest_copy_of_a_message_is_handled_and_only_once() -> None:
    message, handled = tell("a"), []
    for _ in range(3):
        relay()
        wake(message)
    for number in (1, 2, 3, 3, 2, 1):
        receive([(message.pk, number)], handle=alone(lambda: handled.append("once")))
    assert handled == ["once"]


def test_message_stays_with_its_worker_for_a_lease_from_the_moment_it_begins() -> None:
    message, remaining = tell("a"), []
    relay()
    wake(message)

    def look() -> None:
        remaining.append(seconds_until_next_attempt(message))
        assert relay() == []

    work(message, handle=look)
    assert 55 < remaining[0] <= LEASE.total_seconds()


def test_attempt_that_fails_after_its_lease_leaves_the_message_to_its_new_owner() -> None:
    message = tell("a")

    def too_late() -> None:
        wake(message)
        relay()
        work(message, handle=lambda: None)
        raise OSError

    make_old(message)
    work(message, handle=too_late)
    message.refresh_from_db()
    assert message.done_at is not None
    assert (message.dead_at, message.last_error) == (None, "")


def test_attempt_that_succeeds_after_the_message_was_given_up_has_told_it() -> None:
    message = tell("a")

    def late() -> None:
        wake(message)
        relay()
        work(message, handle=failing(OSError()))

    make_old(message)
    work(message, handle=late)
    message.refresh_from_db()
    assert message.done_at is not None
    assert message.dead_at is None


def of_a_newer_release(message: OutboxMessage) -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(topic="topic.of.tomorrow")


def test_topic_that_this_relay_does_not_know_holds_up_nobody_and_is_tried_again_later() -> None:
    unknown, known = tell("a"), tell("b")
    of_a_newer_release(unknown)
    assert relay() == [known.pk]
    assert 55 < seconds_until_next_attempt(unknown) <= LEASE.total_seconds()
    assert (unknown.last_error, unknown.dead_at) == ("UnknownTopic", None)
    wake(unknown)
    OutboxMessage.objects.filter(pk=unknown.pk).update(topic=TOPIC)
    assert relay() == [unknown.pk]


def test_topic_that_nobody_learned_in_a_day_is_given_up() -> None:
    unknown = tell("a")
    of_a_newer_release(unknown)
    make_old(unknown)
    assert relay() == []
    unknown.refresh_from_db()
    assert unknown.dead_at is not None


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


def test_delivered_messages_go_after_a_week_and_dead_ones_wait_for_somebody_to_look() -> None:
    now = timezone.now()
    old, refused, new, dead, waiting = (tell(about) for about in "abcde")
    eight_days_ago = now - timedelta(days=8)
    for message, fields in (
        (old, {"done_at": eight_days_ago}),
        (refused, {"done_at": eight_days_ago, "is_refused": True}),
        (new, {"done_at": now - timedelta(days=6)}),
        (dead, {"dead_at": eight_days_ago}),
        (waiting, {"created_at": eight_days_ago}),
    ):
        OutboxMessage.objects.filter(pk=message.pk).update(**fields)
    purge_done_messages()
    assert list(OutboxMessage.objects.order_by("pk")) == [new, dead, waiting]
