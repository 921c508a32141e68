"""Publishing, passing on and settling outbox messages. Times are the database's."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import connection, transaction
from django.db.models.functions import Now

from docbook.outbox import topics
from docbook.outbox.models import OutboxMessage

log = structlog.get_logger(__name__)

# How long a message stays with the worker that got it before it is sent again.
LEASE = timedelta(seconds=60)
LONGEST_BACKOFF = timedelta(seconds=60)
DEAD_AFTER = timedelta(hours=24)

# Messages of one aggregate go in order: the next waits until the one before is done or given up.
_LEASE_BATCH = """
-- In an IN (...) the planner may run the inner query several times, and lock more than its limit.
WITH batch AS MATERIALIZED (
    SELECT id FROM outbox_outboxmessage AS message
    WHERE done_at IS NULL AND dead_at IS NULL AND next_attempt_at <= statement_timestamp()
      AND NOT EXISTS (
        SELECT FROM outbox_outboxmessage AS earlier
        WHERE earlier.aggregate_id = message.aggregate_id AND earlier.id < message.id
          AND earlier.done_at IS NULL AND earlier.dead_at IS NULL)
    ORDER BY id LIMIT %(limit)s
    -- Several relays may run: each takes what no other is taking.
    FOR UPDATE SKIP LOCKED)
UPDATE outbox_outboxmessage AS message
SET attempts = attempts + 1,
    next_attempt_at = statement_timestamp() + make_interval(secs => %(lease)s)
FROM batch WHERE message.id = batch.id
RETURNING message.id, message.topic
"""


def publish(topic: str, *, about: object, **ids: object) -> OutboxMessage:
    """Adds a message to the caller's transaction. Carries ids only, never personal data.

    Raises KeyError for a topic without a receiver, and RuntimeError outside of a transaction: a
    message that does not commit with its fact could tell of something that never happened.
    """
    topics.task_for(topic)
    if not connection.in_atomic_block:
        raise RuntimeError("publish() belongs into the transaction of the change it tells of.")
    return OutboxMessage.objects.create(
        topic=topic,
        aggregate_id=str(about),
        payload={name: str(value) for name, value in ids.items()},
        next_attempt_at=Now(),
    )


def pass_on(*, send: Callable[[str, int], None], limit: int = 100) -> int:
    """Sends up to `limit` waiting messages through `send(task, message_id)`; returns how many.

    The lease is committed before anything is sent: a relay that dies in between delays a message,
    it never loses one. What `send` raises ends the batch; the leases bring the rest back.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEASE_BATCH, {"lease": LEASE.total_seconds(), "limit": limit})
        batch = sorted(cursor.fetchall())
    for message_id, topic in batch:
        send(topics.task_for(topic), message_id)
    return len(batch)


def receive(message_id: int, *, handle: Callable[..., None]) -> None:
    """Runs `handle(**ids)` for a message that still waits, and settles the message.

    A failure is noted without its text (which may name people) and tried again with backoff.
    """
    message = OutboxMessage.objects.filter(pk=message_id, done_at=None, dead_at=None).first()
    if message is None:
        return
    try:
        handle(**message.payload)
    except Exception as error:  # noqa: BLE001 - whatever a receiver raises means: try again
        _put_back(message, error=type(error).__name__)
        log.warning("outbox_attempt_failed", topic=message.topic, error=type(error).__name__)
        return
    OutboxMessage.objects.filter(pk=message.pk).update(done_at=Now(), last_error="")


def retry(*, message_ids: list[int]) -> int:
    """Wakes messages that were given up; returns how many."""
    with transaction.atomic():
        return OutboxMessage.objects.filter(pk__in=message_ids, dead_at__isnull=False).update(
            dead_at=None, next_attempt_at=Now(), created_at=Now()
        )


def _put_back(message: OutboxMessage, *, error: str) -> None:
    backoff = min(LONGEST_BACKOFF, timedelta(seconds=2 ** min(message.attempts, 10)))
    waiting = OutboxMessage.objects.filter(pk=message.pk)
    waiting.update(next_attempt_at=Now() + backoff, last_error=error)
    waiting.filter(created_at__lt=Now() - DEAD_AFTER).update(dead_at=Now())
