"""How the outbox is doing."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import Combinable

from docbook.outbox.models import OutboxDelivery, OutboxMessage


@dataclass(frozen=True)
class Status:
    """Deliveries are kept as long as their messages: for a week, or forever if given up."""

    waiting: int
    oldest_seconds: float
    dead: int
    refused: int
    delivered: int
    duplicates: int


_STATUS = """
SELECT count(*) FILTER (WHERE dead_at IS NULL),
       coalesce(extract(epoch FROM statement_timestamp()
           - min(created_at) FILTER (WHERE dead_at IS NULL)), 0)::float8,
       count(*) FILTER (WHERE dead_at IS NOT NULL),
       (SELECT count(*) FROM outbox_outboxmessage WHERE is_refused),
       (SELECT count(*) FROM outbox_outboxdelivery WHERE delivered_at IS NOT NULL),
       (SELECT coalesce(sum(copies - 1), 0) FROM outbox_outboxdelivery WHERE copies > 1)
FROM outbox_outboxmessage WHERE done_at IS NULL
"""


def told_once(name: Combinable) -> Exists:
    """Whether a fact was published under this name, for a query over the facts. `name` is made of
    their columns (OuterRef).
    """
    return Exists(OutboxMessage.objects.filter(once=name))


def told_in_vain(name: Combinable) -> Exists:
    """Whether the message of this name went out by no channel, or not yet. Messages settled more
    than a week ago are forgotten; they count as delivered.
    """
    delivered = OutboxDelivery.objects.filter(message=OuterRef("pk"), delivered_at__isnull=False)
    return Exists(OutboxMessage.objects.filter(~Q(Exists(delivered)), once=name))


def waiting_among(topic: str, *, about: Iterable[object]) -> set[str]:
    """Of these objects, the ones with such a message that the first receiver still has to handle,
    or is handling. One query.
    """
    waiting = OutboxMessage.objects.filter(
        topic=topic,
        receiver="",
        aggregate_id__in=[str(each) for each in about],
        done_at__isnull=True,
        dead_at__isnull=True,
    )
    return set(waiting.values_list("aggregate_id", flat=True))


def outbox_status() -> Status:
    """Counted by the database now, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_STATUS)
        return Status(*cursor.fetchone())
