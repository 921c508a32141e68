"""Sends a message at most once by each channel, as far as anybody can know."""

from collections.abc import Callable

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from docbook.outbox.models import OutboxDelivery


class RefusedForGood(Exception):
    """The recipient's side has refused the message, and would do so again."""


_BEGIN = """
INSERT INTO outbox_outboxdelivery AS delivery (message_id, channel, copies)
VALUES (%s, %s, 1)
ON CONFLICT (message_id, channel) DO UPDATE SET copies = delivery.copies + 1
    WHERE delivery.delivered_at IS NULL
RETURNING id
"""


def deliver(
    message_id: int,
    *,
    channel: str,
    send: Callable[[], object],
    refusals: tuple[type[Exception], ...],
) -> None:
    """Calls `send` unless this message already went out by this channel; passes on its errors.

    Nobody can send and record it in one step. So the attempt is recorded first and the success
    afterwards. If a worker dies in between, the next attempt sends a second copy and counts it.
    `refusals` are errors after which certainly nothing went out; such a copy is not counted.
    """
    delivery_id = _begin(message_id, channel=channel)
    if delivery_id is None:
        return
    mine = OutboxDelivery.objects.filter(pk=delivery_id)
    try:
        send()
    except refusals:
        mine.update(copies=F("copies") - 1)
        raise
    mine.update(delivered_at=Now())


def was_delivered(message_id: int) -> bool:
    """Whether the message went out by any channel."""
    delivered = OutboxDelivery.objects.filter(message_id=message_id, delivered_at__isnull=False)
    return delivered.exists()


def _begin(message_id: int, *, channel: str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [message_id, channel])
        row = cursor.fetchone()
    return row[0] if row else None
