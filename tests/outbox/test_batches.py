"""The relay hands out many messages at once, and a worker handles them together."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from docbook.outbox import topics
from docbook.outbox.deliveries import NotTried, RefusedForGood
from docbook.outbox.models import OutboxMessage
from docbook.outbox.receiving import Copy, Received, receive
from docbook.outbox.services import pass_on
from docbook.outbox.topics import Receiver
from tests.concurrency.rush import rush
from tests.outbox.relay import TOPIC, URGENT, alone, relay, tell, wake

pytestmark = pytest.mark.django_db

TOGETHER = "test.together"
topics.register(topic=TOGETHER, task="test.together_task", at_once=3)


def tasks() -> list[tuple[str, list[int]]]:
    """One round of the relay: the tasks, and the messages of each."""
    sent: list[tuple[str, list[int]]] = []

    def send(to: Receiver, copies: list[Copy]) -> None:
        sent.append((to.task, [pk for pk, _number in copies]))

    pass_on(send=send)
    return sent


def several(count: int = 3) -> list[OutboxMessage]:
    return [tell(f"thing-{number}", topic=TOGETHER) for number in range(count)]


def copies_of(messages: Sequence[OutboxMessage]) -> list[Copy]:
    for each in messages:
        each.refresh_from_db()
    return [(each.pk, each.handed_out) for each in messages]


def work(
    messages: Sequence[OutboxMessage],
    handle: Callable[[Sequence[Received]], Mapping[int, Exception]],
) -> None:
    receive(copies_of(messages), handle=handle)
    for each in messages:
        each.refresh_from_db()


def test_messages_of_a_receiver_are_sent_together_as_many_as_it_takes() -> None:
    ids = [each.pk for each in several(7)]
    single = tell("a", topic=TOPIC), tell("b", topic=TOPIC)
    assert sorted(tasks()) == [
        ("test.task", [single[0].pk]),
        ("test.task", [single[1].pk]),
        ("test.together_task", ids[:3]),
        ("test.together_task", ids[3:6]),
        ("test.together_task", ids[6:]),
    ]


def test_messages_about_one_thing_are_never_in_one_task() -> None:
    first, second, other = (tell(about, topic=TOGETHER) for about in ("a", "a", "b"))
    assert tasks() == [("test.together_task", [first.pk, other.pk])]
    work([first, other], lambda _messages: {})
    assert tasks() == [("test.together_task", [second.pk])]


def test_each_message_of_a_batch_is_settled_by_how_it_went() -> None:
    done, failed, refused, untried = messages = several(4)
    errors = {failed.pk: ValueError(), refused.pk: RefusedForGood(), untried.pk: NotTried()}
    work(messages, lambda _messages: errors)
    assert [each.done_at is not None for each in messages] == [True, False, True, False]
    assert [each.is_refused for each in messages] == [False, False, True, False]
    assert [each.last_error for each in messages] == ["", "ValueError", "RefusedForGood", ""]
    assert [each.attempts for each in messages] == [1, 1, 1, 0]
    assert relay() == [untried.pk]
    assert done.attempts == 1


def test_worker_gets_the_messages_in_the_order_of_the_relay() -> None:
    messages, got = several(3), []
    backwards = messages[::-1]
    work(backwards, lambda batch: got.extend(each.id for each in batch) or {})
    assert got == [each.pk for each in backwards]


def test_message_that_breaks_the_work_on_all_is_tried_alone_and_takes_no_other_with_it() -> None:
    messages, batches = several(3), []

    def handle(batch: Sequence[Received]) -> Mapping[int, Exception]:
        batches.append([each.id for each in batch])
        if messages[1].pk in batches[-1]:
            raise ValueError
        return {}

    work(messages, handle)
    ids = [each.pk for each in messages]
    assert batches == [ids, *([pk] for pk in ids)]
    assert [each.done_at is not None for each in messages] == [True, False, True]
    assert messages[1].last_error == "ValueError"


def test_database_that_is_gone_is_not_asked_again_for_each_message() -> None:
    messages, batches = several(3), []

    def handle(batch: Sequence[Received]) -> Mapping[int, Exception]:
        batches.append(len(batch))
        raise OperationalError

    work(messages, handle)
    assert batches == [3]
    assert {each.last_error for each in messages} == {"OperationalError"}


def test_copies_that_are_no_longer_the_newest_are_left_out_of_a_batch() -> None:
    stale, fresh = messages = several(2)
    relay()
    copies = copies_of(messages)
    wake(stale)
    relay()
    handled: list[int] = []
    receive(copies, handle=lambda batch: handled.extend(each.id for each in batch) or {})
    assert handled == [fresh.pk]


def test_batch_of_stale_copies_does_nothing() -> None:
    def handle(_batch: Sequence[Received]) -> Mapping[int, Exception]:
        raise AssertionError

    messages = several(2)
    receive([(each.pk, 7) for each in messages], handle=handle)
    assert not OutboxMessage.objects.exclude(attempts=0).exists()


def test_receiver_learns_when_the_fact_was_published() -> None:
    (message,), got = several(1), []
    work([message], lambda batch: got.extend(each.published_at for each in batch) or {})
    assert got == [message.created_at]
    assert timezone.now() - got[0] < timedelta(minutes=5)


def test_task_of_the_relay_of_the_previous_release_is_received() -> None:
    message, handled = tell("a", hold_id=7), []
    receive((message.pk, message.handed_out), handle=alone(lambda **ids: handled.append(ids)))
    assert handled == [{"hold_id": "7"}]


def test_codes_and_mails_are_in_tasks_of_their_own() -> None:
    mail, code = tell("a", topic=TOGETHER), tell("b", topic=URGENT)
    assert sorted(tasks()) == [
        ("test.together_task", [mail.pk]),
        ("test.urgent_task", [code.pk]),
    ]


@pytest.mark.django_db(transaction=True)
def test_workers_that_get_the_same_copies_in_other_orders_handle_each_once() -> None:
    """Their claims overlap. Taken in the order of the batches, they would wait for each other."""
    for _ in range(5):
        messages, handled = several(20), []
        relay()
        copies = copies_of(messages)

        def handle(
            batch: Sequence[Received], handled: list[int] = handled
        ) -> Mapping[int, Exception]:
            handled.extend(each.id for each in batch)
            return {}

        orders = [copies, copies[::-1], copies[10:] + copies[:10], copies[::2]]
        results = rush(lambda order, handle=handle: receive(order, handle=handle), orders)
        assert results == [None] * len(orders)
        assert sorted(handled) == [each.pk for each in messages]
        assert not OutboxMessage.objects.filter(done_at=None).exists()
