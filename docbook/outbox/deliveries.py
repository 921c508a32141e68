"""Sends a message at most once by each channel, as far as anybody can know."""

import time
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

from django.db import connection

from docbook.outbox.models import OutboxDelivery
from docbook.postgres.rows import rows_of

# Then a batch ends, and what is left waits for the next worker: with a slow mail server, neither
# does a code wait for a whole batch of mails, nor does a batch outlive its lease.
LONGEST_BATCH = timedelta(seconds=2)


class RefusedForGood(Exception):
    """The recipient's side has refused the message, and would do so again."""


class NotTried(Exception):
    """The batch has taken too long. Nothing was sent, and this was no attempt."""


_BEGIN = """
INSERT INTO outbox_outboxdelivery AS delivery (message_id, channel, copies)
SELECT message_id, %(channel)s, 1 FROM unnest(%(messages)s::bigint[]) AS message_id
ORDER BY message_id
ON CONFLICT (message_id, channel) DO UPDATE SET copies = delivery.copies + 1
    WHERE delivery.delivered_at IS NULL
RETURNING message_id
"""

_END = """
UPDATE outbox_outboxdelivery
SET delivered_at = CASE WHEN message_id = ANY(%(delivered)s::bigint[])
        THEN statement_timestamp() ELSE delivered_at END,
    copies = copies - (message_id = ANY(%(unsent)s::bigint[]))::int
WHERE channel = %(channel)s AND message_id = ANY(%(delivered)s::bigint[] || %(unsent)s::bigint[])
"""


def deliver_all(
    sends: Mapping[int, Callable[[], object]],
    *,
    channel: str,
    refusals: tuple[type[Exception], ...],
) -> dict[int, Exception]:
    """Calls what `sends` has for each message, by its id, unless the message already went out by
    this channel. Returns the errors, by the message's id: one that fails keeps no other waiting.

    Nobody can send and record it in one step. So the attempts are recorded first and the successes
    afterwards. If a worker dies in between, the next attempt sends a second copy of what the worker
    had sent, and counts one for each message that it may have sent. `refusals` are errors after
    which certainly nothing went out; such a copy is not counted.
    """
    begun = _begin(sends, channel=channel)
    delivered: list[int] = []
    failed: dict[int, Exception] = {}
    until = time.monotonic() + LONGEST_BATCH.total_seconds()
    untried = [each for each in sends if each in begun]
    try:
        while untried:
            message_id = untried.pop(0)
            try:
                sends[message_id]()
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                failed[message_id] = error
            else:
                delivered.append(message_id)
            if time.monotonic() >= until:
                break
    finally:
        # Also if this process is told to stop: what is known is recorded.
        refused = [each for each, error in failed.items() if isinstance(error, refusals)]
        _end(delivered=delivered, unsent=[*refused, *untried], channel=channel)
    return failed | {each: NotTried() for each in untried}


def was_delivered(message_id: int) -> bool:
    """Whether the message went out by any channel."""
    return bool(delivered_of([message_id]))


def delivered_of(message_ids: Collection[int]) -> set[int]:
    """The ones among these messages that went out by any channel. One query."""
    mine = OutboxDelivery.objects.filter(message_id__in=message_ids, delivered_at__isnull=False)
    return set(mine.values_list("message_id", flat=True))


def _begin(message_ids: Collection[int], *, channel: str) -> set[int]:
    """Counts a copy of each; returns those that have not been delivered yet."""
    values = {"messages": list(message_ids), "channel": channel}
    return {message_id for (message_id,) in rows_of(_BEGIN, **values)}


def _end(*, delivered: Collection[int], unsent: Collection[int], channel: str) -> None:
    """Writes down what went out, and takes back the copies of what certainly did not."""
    values: dict[str, Any] = {
        "delivered": list(delivered),
        "unsent": list(unsent),
        "channel": channel,
    }
    with connection.cursor() as cursor:
        cursor.execute(_END, values)
