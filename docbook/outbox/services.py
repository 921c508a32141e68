"""Publishes outbox messages and hands them out. Times come from the database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from docbook.batches import delete_in_batches
from docbook.lock_keys import RELAY_ASLEEP
from docbook.outbox import topics
from docbook.outbox.models import OutboxMessage
from docbook.outbox.receiving import LEASE, Copy, put_back

log = structlog.get_logger(__name__)

# The part of a batch that is kept for messages that have failed before. They neither hold up new
# ones nor starve.
PART_FOR_REPEATS = 10
KEEP_DONE = timedelta(days=7)

_FALL_ASLEEP = "SELECT pg_try_advisory_lock(%s, %s)"
_WAKE_UP = "SELECT pg_advisory_unlock(%s, %s)"

# Messages of one aggregate reach a receiver in order: the next waits until the one before is done
# or given up.
#
# A backlog grows faster than the planner's statistics. The planner believes that almost nothing
# waits, and then any index and any join looks right. So each part can use one index only. Waiting
# messages are selected with the condition of `outbox_waiting_in_order`, and earlier ones with that
# of `outbox_order`. Earlier ones are counted for each message, because an EXISTS would become a
# join.
_LEASE_BATCH = """
-- In an IN (...) the planner may run the inner query several times, and lock more than its limit.
WITH batch AS MATERIALIZED (
    SELECT id FROM outbox_outboxmessage AS message
    WHERE coalesce(done_at, dead_at) IS NULL AND next_attempt_at <= statement_timestamp()
      AND (attempts > 0) = %(repeats)s
      AND (%(only)s::text[] IS NULL OR topic = ANY(%(only)s::text[]))
      AND topic <> ALL(%(never)s::text[])
      AND (is_spread OR receiver <> '' OR topic <> ALL(%(spread)s::text[]))
      AND 0 = (
        SELECT count(*) FROM outbox_outboxmessage AS earlier
        WHERE earlier.aggregate_id = message.aggregate_id AND earlier.id < message.id
          AND earlier.receiver = message.receiver
          AND earlier.done_at IS NULL AND earlier.dead_at IS NULL)
    ORDER BY id LIMIT %(limit)s
    -- Several relays may run: each takes what no other is taking.
    FOR UPDATE SKIP LOCKED)
UPDATE outbox_outboxmessage AS message
SET handed_out = handed_out + 1,
    next_attempt_at = statement_timestamp() + make_interval(secs => %(lease)s)
FROM batch WHERE message.id = batch.id
RETURNING message.id, message.topic, message.receiver, message.handed_out
"""

# One statement writes the copies and the mark: a relay that dies leaves both or neither.
_SPREAD = """
WITH first AS MATERIALIZED (
    SELECT id FROM outbox_outboxmessage
    WHERE coalesce(done_at, dead_at) IS NULL AND receiver = '' AND NOT is_spread
      AND topic = ANY(%(topics)s::text[])
    ORDER BY id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), marked AS (
    UPDATE outbox_outboxmessage AS message SET is_spread = true
    FROM first WHERE message.id = first.id RETURNING message.*)
INSERT INTO outbox_outboxmessage (topic, receiver, aggregate_id, payload, created_at, attempts,
                                  handed_out, next_attempt_at, last_error)
SELECT marked.topic, further.name, aggregate_id, payload, created_at, 0, 0, created_at, ''
FROM marked JOIN unnest(%(topics)s::text[], %(names)s::text[]) AS further (topic, name)
    ON further.topic = marked.topic
ORDER BY marked.id
"""


def publish(topic: str, *, about: object, once: str | None = None, **ids: object) -> OutboxMessage:
    """Adds a message to the caller's transaction. It carries ids only, never personal data.

    A fact that may be found twice is published under a name, `once`. The second time nothing is
    added, and the returned message has no id. Raises KeyError for a topic without a receiver, and
    RuntimeError outside a transaction: a message that does not commit with its fact could report
    something that never happened.
    """
    if not topics.is_received(topic):
        raise KeyError(topic)
    if not connection.in_atomic_block:
        raise RuntimeError("Call publish() in the transaction of the change it reports.")
    message = OutboxMessage(
        topic=topic,
        aggregate_id=str(about),
        payload={name: str(value) for name, value in ids.items()},
        once=once,
        next_attempt_at=Now(),
    )
    OutboxMessage.objects.bulk_create([message], ignore_conflicts=once is not None)
    return message


def pass_on(
    *,
    send: Callable[[topics.Receiver, list[Copy]], None],
    limit: int = 200,
    only: Sequence[str] | None = None,
    never: Sequence[str] = (),
) -> int:
    """Sends up to `limit` waiting messages, of these topics or of all; returns how many it took.

    Those of one receiver are sent together, as many at once as it takes. `receive` needs their
    copies. The leases are committed before anything is sent: a relay that dies in between delays
    messages but never loses one. An error from `send` ends the batch; the leases bring the rest
    back.
    """
    further = topics.further_receivers()
    if further:
        _spread(further, limit=limit)
    asked = {
        "lease": LEASE.total_seconds(),
        "only": None if only is None else list(only),
        "never": list(never),
        "spread": [topic for topic, _name in further],
    }
    repeats = _lease(asked, repeats=True, limit=max(1, limit // PART_FOR_REPEATS))
    batch = _lease(asked, repeats=False, limit=limit - len(repeats)) + repeats
    copies: dict[topics.Receiver, list[Copy]] = {}
    for message_id, topic, name, handed_out in batch:
        try:
            receiver = topics.receiver_of(topic, name=name)
        except KeyError:
            # A release newer than this relay has published it. It must not hold up all others.
            log.warning("outbox_topic_unknown", topic=topic)
            OutboxMessage.objects.filter(pk=message_id).update(attempts=F("attempts") + 1)
            put_back([(message_id, handed_out, "UnknownTopic")], pause=LEASE)
        else:
            copies.setdefault(receiver, []).append((message_id, handed_out))
    for receiver, mine in copies.items():
        for start in range(0, len(mine), receiver.at_once):
            send(receiver, mine[start : start + receiver.at_once])
    return len(batch)


@contextmanager
def asleep() -> Iterator[bool]:
    """While the block runs, a new message sends a NOTIFY to this connection. Yields False if it
    would not, because somebody is publishing or another relay sleeps: then look again soon.
    """
    with connection.cursor() as cursor:
        cursor.execute("LISTEN outbox")
        cursor.execute(_FALL_ASLEEP, RELAY_ASLEEP)
        (is_asleep,) = cursor.fetchone()
        try:
            yield is_asleep
        finally:
            if is_asleep:
                cursor.execute(_WAKE_UP, RELAY_ASLEEP)


def retry(*, message_ids: list[int]) -> int:
    """Makes messages that were given up or refused wait again; returns how many."""
    ended = Q(dead_at__isnull=False) | Q(is_refused=True)
    return OutboxMessage.objects.filter(ended, pk__in=message_ids).update(
        done_at=None,
        dead_at=None,
        is_refused=False,
        next_attempt_at=Now(),
        created_at=Now(),
        failing_since=None,
    )


def purge_done_messages(*, now: datetime) -> int:
    """Deletes messages delivered or refused more than a week ago; returns how many.

    Dead ones stay: somebody has to look at them.
    """
    return delete_in_batches(OutboxMessage.objects.filter(done_at__lt=now - KEEP_DONE))


def _lease(asked: dict[str, Any], *, repeats: bool, limit: int) -> list[tuple[int, str, str, int]]:
    """(id, topic, receiver, number of the lease), in order. `repeats` are messages that have
    failed before.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEASE_BATCH, asked | {"repeats": repeats, "limit": limit})
        return sorted(cursor.fetchall())


def _spread(further: Sequence[tuple[str, str]], *, limit: int) -> None:
    """Gives each further receiver, as (topic, name), a copy of what was published for the first."""
    names = {"topics": [topic for topic, _name in further], "names": [name for _t, name in further]}
    with connection.cursor() as cursor:
        cursor.execute(_SPREAD, names | {"limit": limit})
