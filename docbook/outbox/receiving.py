"""Receives outbox messages in batches, and settles each by how it went. Times come from the
database.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection

from docbook.observability import metrics
from docbook.observability.stack import places_of
from docbook.outbox.deliveries import NotTried, RefusedForGood
from docbook.postgres.rows import rows_of

log = structlog.get_logger(__name__)

# How long a message stays with its worker before it is sent again.
LEASE = timedelta(seconds=60)
# The pause after a failure doubles up to a minute. Then it is a part of the time since the first
# failure: after an outage, a mail waits for a tenth of the outage at most.
QUICK_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=60), timedelta(hours=1)
PART_OF_THE_FAILURE = 10
# A message is given up after failing for this long and this often. A day without attempts does not
# count.
DEAD_AFTER = timedelta(hours=24)
LEAST_ATTEMPTS = 20

# Copies of a message may reach several workers at once, each in another batch. So a claim takes its
# rows in order, and passes by what another worker is just claiming.
_CLAIM = """
WITH mine AS MATERIALIZED (
    SELECT message.id FROM outbox_outboxmessage AS message
    JOIN unnest(%(ids)s::bigint[], %(numbers)s::int[]) AS copy (id, number)
        ON copy.id = message.id AND copy.number = message.handed_out
    WHERE message.done_at IS NULL AND message.dead_at IS NULL
    ORDER BY message.id FOR UPDATE OF message SKIP LOCKED)
UPDATE outbox_outboxmessage AS message
SET attempts = attempts + 1, handed_out = handed_out + 1,
    next_attempt_at = statement_timestamp() + make_interval(secs => %(lease)s)
FROM mine WHERE message.id = mine.id
RETURNING message.id, topic, payload, created_at, handed_out
"""

# A later attempt may have given it up after this one's lease ended. It was delivered all the same.
_SETTLE = """
UPDATE outbox_outboxmessage
SET done_at = statement_timestamp(), dead_at = NULL, is_refused = false, last_error = ''
WHERE id = ANY(%(ids)s::bigint[])
"""

# The rest changes only messages that nobody else has got since.
_SETTLE_AS_REFUSED = """
UPDATE outbox_outboxmessage AS message
SET done_at = statement_timestamp(), dead_at = NULL, is_refused = true, last_error = mine.error
FROM unnest(%(ids)s::bigint[], %(numbers)s::int[], %(errors)s::text[]) AS mine (id, number, error)
WHERE message.id = mine.id AND message.handed_out = mine.number AND done_at IS NULL
RETURNING topic
"""

_PUT_BACK = """
UPDATE outbox_outboxmessage AS message
SET failing_since = coalesce(failing_since, statement_timestamp()),
    last_error = mine.error,
    next_attempt_at = statement_timestamp() + coalesce(%(pause)s::interval, least(
        %(longest)s::interval,
        greatest(
            least(%(quick)s::interval, make_interval(secs => 2 ^ least(attempts, 6))),
            (statement_timestamp() - failing_since) / %(part)s))),
    dead_at = CASE
        WHEN failing_since < statement_timestamp() - %(day)s::interval AND attempts >= %(least)s
        THEN statement_timestamp() ELSE dead_at END
FROM unnest(%(ids)s::bigint[], %(numbers)s::int[], %(errors)s::text[]) AS mine (id, number, error)
WHERE message.id = mine.id AND message.handed_out = mine.number AND done_at IS NULL
"""

_GIVE_BACK = """
UPDATE outbox_outboxmessage AS message
SET attempts = attempts - 1, next_attempt_at = statement_timestamp()
FROM unnest(%(ids)s::bigint[], %(numbers)s::int[], %(errors)s::text[]) AS mine (id, number, error)
WHERE message.id = mine.id AND message.handed_out = mine.number AND done_at IS NULL
"""


@dataclass(frozen=True)
class Received:
    """A message that a worker has. `ids` is what the publisher gave. `published_at` is when the
    fact was ready to be sent; after `retry`, when it was tried again.
    """

    id: int
    topic: str
    ids: Mapping[str, str]
    published_at: datetime
    handed_out: int


# The id of a message, and the number of its lease.
Copy = tuple[int, int]
# Handles messages together, and returns the errors of those that failed, by the message's id.
Handler = Callable[[Sequence[Received]], Mapping[int, Exception]]
# The id of a message, the number of the lease that this worker has, and the name of an error.
_Mine = tuple[int, int, str]


def receive(copies: Sequence[Any], *, handle: Handler) -> None:
    """Runs `handle` for the messages that still wait, and settles each by how it went. `copies` are
    pairs, as the relay sends them; the relay of the previous release sends one message as two
    numbers.

    Of all copies that the relay handed out, only the newest acts, and only once. A failure is
    recorded without its text (which may name people) and tried again with backoff. The log gets the
    places in the code that the error passed. RefusedForGood ends a message. NotTried is no attempt:
    the relay hands such a message out again at once.
    """
    messages = _claim([copies] if isinstance(copies[0], int) else copies)
    if not messages:
        return
    failed = _handled(messages, handle)
    done = [each.id for each in messages if each.id not in failed]
    if done:
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, {"ids": done})
    if failed:
        _settle_failures([(each, failed[each.id]) for each in messages if each.id in failed])


def one_by_one(handle: Callable[..., None]) -> Handler:
    """Runs `handle(message, **ids)` for each. Its error is that of the message."""

    def handle_each(messages: Sequence[Received]) -> dict[int, Exception]:
        failed: dict[int, Exception] = {}
        for message in messages:
            try:
                handle(message, **message.ids)
            except Exception as error:  # noqa: BLE001 - whatever it raises means: try again
                failed[message.id] = error
        return failed

    return handle_each


def _claim(copies: Sequence[Sequence[int]]) -> list[Received]:
    """Takes the messages away from every other copy, in one statement, in the order of the copies.

    While no worker runs, the relay hands out another copy with every lease. Later they all run at
    once. The first changes the number that the others compare with.
    """
    ids, numbers = zip(*copies, strict=True)
    lease = LEASE.total_seconds()
    rows = rows_of(_CLAIM, ids=list(ids), numbers=list(numbers), lease=lease)
    found = {
        pk: Received(pk, topic, json.loads(payload), published_at, number)
        for pk, topic, payload, published_at, number in rows
    }
    return [found[each] for each in ids if each in found]


def _handled(messages: Sequence[Received], handle: Handler) -> Mapping[int, Exception]:
    """The errors. If the work on all of them breaks, each is tried alone: the one at fault must not
    take the others with it.
    """
    try:
        return handle(messages)
    except Exception as error:  # noqa: BLE001 - whatever a receiver raises means: try again
        if len(messages) == 1 or isinstance(error, OperationalError | InterfaceError):
            return dict.fromkeys((each.id for each in messages), error)
    alone = [_handled([each], handle) for each in messages]
    return {message_id: error for each in alone for message_id, error in each.items()}


def _settle_failures(failed: Sequence[tuple[Received, Exception]]) -> None:
    refused, untried, broken = list[_Mine](), list[_Mine](), list[_Mine]()
    for message, error in failed:
        mine = (message.id, message.handed_out, type(error).__name__)
        if isinstance(error, RefusedForGood):
            refused.append(mine)
        elif isinstance(error, NotTried):
            untried.append(mine)
        else:
            broken.append(mine)
            log.warning(
                "outbox_attempt_failed",
                topic=message.topic,
                error=type(error).__name__,
                passed=places_of(error),
            )
    if refused:
        for (topic,) in rows_of(_SETTLE_AS_REFUSED, **_columns(refused)):
            metrics.count("docbook_mails_refused")
            log.warning("outbox_message_refused", topic=topic)
    if untried:
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, _columns(untried))
    if broken:
        put_back(broken)


def put_back(mine: Sequence[_Mine], *, pause: timedelta | None = None) -> None:
    """After a failure. Without `pause`, the pause grows with the failure."""
    values = {
        "pause": pause,
        "longest": LONGEST_BACKOFF,
        "quick": QUICK_BACKOFF,
        "part": PART_OF_THE_FAILURE,
        "day": DEAD_AFTER,
        "least": LEAST_ATTEMPTS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PUT_BACK, values | _columns(mine))


def _columns(mine: Sequence[_Mine]) -> dict[str, Any]:
    ids, numbers, errors = zip(*mine, strict=True)
    return {"ids": list(ids), "numbers": list(numbers), "errors": list(errors)}
