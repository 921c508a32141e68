"""A relay whose worker is the test."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from docbook.outbox import topics
from docbook.outbox.models import OutboxMessage
from docbook.outbox.receiving import Handler, one_by_one, receive
from docbook.outbox.services import pass_on, publish

TOPIC = "test.topic"
URGENT = "test.urgent"
# Two receivers want it.
SHARED = "test.shared"
topics.register(topic=TOPIC, task="test.task")
topics.register(topic=URGENT, task="test.urgent_task", queue=topics.CODES)
topics.register(topic=SHARED, task="test.first_task")
topics.register(topic=SHARED, task="test.second_task", name="second")


def tell(about: object, *, topic: str = TOPIC, **ids: object) -> OutboxMessage:
    with transaction.atomic():
        return publish(topic, about=about, **ids)


def relay(*, limit: int = 100) -> list[int]:
    """One round; returns the ids of the sent messages, in order."""
    sent: list[int] = []
    pass_on(send=lambda _to, copies: sent.extend(pk for pk, _number in copies), limit=limit)
    return sent


def work(message: OutboxMessage, *, handle: Callable[..., None]) -> None:
    """What a worker does with the newest copy of the message."""
    message.refresh_from_db()
    receive([(message.pk, message.handed_out)], handle=alone(handle))


def alone(handle: Callable[..., None]) -> Handler:
    """`handle` gets the ids of the message only."""
    return one_by_one(lambda _message, **ids: handle(**ids))


def wake(*messages: OutboxMessage) -> None:
    """Ends their lease or their backoff."""
    due = Now() - timedelta(seconds=1)
    OutboxMessage.objects.filter(pk__in=[m.pk for m in messages]).update(next_attempt_at=due)


def failing(error: Exception) -> Callable[..., None]:
    def handle(**_ids: Any) -> None:
        raise error

    return handle
