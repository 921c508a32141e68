"""A topic with several receivers."""

import pytest

from docbook.outbox import topics
from docbook.outbox.models import OutboxMessage
from docbook.outbox.receiving import Copy
from docbook.outbox.services import pass_on
from tests.outbox.relay import SHARED, failing, relay, tell, wake, work

pytestmark = pytest.mark.django_db


def sent_to() -> list[tuple[str, str]]:
    """One round of the relay: (task, the object's id)."""
    sent: list[tuple[str, str]] = []

    def send(to: topics.Receiver, copies: list[Copy]) -> None:
        for message_id, _number in copies:
            sent.append((to.task, OutboxMessage.objects.get(pk=message_id).aggregate_id))

    pass_on(send=send)
    return sent


def test_each_receiver_of_a_topic_is_told_once() -> None:
    tell("a", topic=SHARED, hold_id=7)
    assert sorted(sent_to()) == [("test.first_task", "a"), ("test.second_task", "a")]
    assert {str(each.payload) for each in OutboxMessage.objects.all()} == {"{'hold_id': '7'}"}
    wake(*OutboxMessage.objects.all())
    assert sorted(sent_to()) == [("test.first_task", "a"), ("test.second_task", "a")]
    assert OutboxMessage.objects.count() == 2


def test_receiver_that_fails_keeps_no_other_waiting() -> None:
    first = tell("a", topic=SHARED)
    relay()
    second = OutboxMessage.objects.get(receiver="second")
    work(second, handle=failing(OSError()))
    work(first, handle=lambda: None)
    later = tell("a", topic=SHARED)
    assert sent_to() == [("test.first_task", "a")]
    later.refresh_from_db()
    assert later.handed_out == 1
    work(later, handle=lambda: None)
    second.refresh_from_db()
    assert (second.done_at, second.attempts) == (None, 1)


def test_receivers_of_a_topic_have_names_of_their_own() -> None:
    topics.register(topic=SHARED, task="test.second_task", name="second")
    with pytest.raises(ValueError, match="second"):
        topics.register(topic=SHARED, task="test.third_task", name="second")
