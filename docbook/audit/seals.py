"""Seals: a chain of digests over the audit trail, which reveals changes of the past.

A chain of single events would make all bookings queue. Instead a task closes a batch of events
every few seconds, in a transaction of its own. Ids do not show which events are complete: a
transaction that took a lower id may commit later. So events are closed by the number of the
transaction that wrote them. Below the lowest running number (`pg_snapshot_xmin`) nothing can be
added any more.

This is how to compute the digests (all are SHA-256, in hex):

- an event: the JSON array [id, xact, at, action, actor_kind, actor_id, object_type, object_id,
  before, after, request_id], `at` in ISO 8601 with microseconds in UTC, keys of objects sorted, no
  spaces, everything outside ASCII escaped;
- `events_digest`: the events in the order of (xact, id), each followed by a line feed;
- `digest` of a seal: the JSON array [number, since, until, event_ids, events_digest,
  previous_digest, sealed_at] in the same form. The first seal's `previous_digest` is 64 zeros.

The chain reveals every change except one at its own end: somebody who can write to the database
could cut off the last seals and make new ones. So each seal is logged as well, and `verify_audit
--witness` compares the chain with a log.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import structlog
from django.db import connection, transaction

from docbook.audit.models import AuditEvent, AuditSeal
from docbook.lock_keys import AUDIT_SEALS

log = structlog.get_logger(__name__)

BATCH = 5000
NOTHING_BEFORE = "0" * 64
BEGINNING = -(2**63)
END = 2**63 - 1

_ONE_SEALER = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
_FINISHED_BELOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


class TransactionsBeganAnew(RuntimeError):
    """The database counts its transactions from below the last seal, as after a dump is restored to
    a new server. New events would come before sealed ones. See docs/adr/0006.
    """


def seal_events() -> int:
    """Seals all complete events; returns how many. Does nothing while another sealer works."""
    total = 0
    while sealed := _seal_batch():
        total += sealed
    return total


def canonical_event(event: AuditEvent) -> bytes:
    return _canonical(
        event.pk,
        event.xact,
        event.at,
        event.action,
        event.actor_kind,
        event.actor_id,
        event.object_type,
        event.object_id,
        event.before,
        event.after,
        event.request_id,
    )


def digest_of_events(events: Iterable[AuditEvent]) -> tuple[list[int], str]:
    """The ids and the digest of these events. Reads them once, in order."""
    ids, digest = [], hashlib.sha256()
    for event in events:
        ids.append(event.pk)
        digest.update(canonical_event(event) + b"\n")
    return ids, digest.hexdigest()


def digest_of_seal(seal: AuditSeal) -> str:
    canonical = _canonical(
        seal.number,
        seal.since,
        seal.until,
        seal.event_ids,
        seal.events_digest,
        seal.previous_digest,
        seal.sealed_at,
    )
    return hashlib.sha256(canonical).hexdigest()


def events_between(*, since: int, until: int) -> Iterator[AuditEvent]:
    """The events of the transactions [since, until), in digest order; never all in memory."""
    events = AuditEvent.objects.filter(xact__gte=since, xact__lt=until).order_by("xact", "id")
    return events.iterator(chunk_size=2000)


def _seal_batch() -> int:
    with transaction.atomic():
        if not _number(_ONE_SEALER, AUDIT_SEALS):
            return 0
        last = AuditSeal.objects.order_by("-number").first()
        since = last.until if last else BEGINNING
        # Read before the events: every later statement sees what has finished by now.
        until = _end_of_batch(since=since, finished_below=_number(_FINISHED_BELOW))
        if until is None:
            return 0
        seal = _new_seal(last=last, since=since, until=until)
        seal.save(force_insert=True)
    log.info("audit_sealed", number=seal.number, digest=seal.digest, events=len(seal.event_ids))
    return len(seal.event_ids)


def _end_of_batch(*, since: int, finished_below: int) -> int | None:
    """Where a batch ends, without splitting a transaction; None if nothing waits."""
    if finished_below < since:
        raise TransactionsBeganAnew
    waiting = AuditEvent.objects.filter(xact__gte=since, xact__lt=finished_below)
    numbers = waiting.order_by("xact", "id").values_list("xact", flat=True)
    if (last_of_batch := numbers[BATCH - 1 : BATCH].first()) is not None:
        return last_of_batch + 1
    return finished_below if numbers.exists() else None


def _new_seal(*, last: AuditSeal | None, since: int, until: int) -> AuditSeal:
    ids, digest = digest_of_events(events_between(since=since, until=until))
    seal = AuditSeal(
        number=last.number + 1 if last else 1,
        since=since,
        until=until,
        event_ids=ids,
        events_digest=digest,
        previous_digest=last.digest if last else NOTHING_BEFORE,
        sealed_at=datetime.now(UTC),
    )
    seal.digest = digest_of_seal(seal)
    return seal


def _canonical(*values: object) -> bytes:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=_instant)
    return text.encode()


def _instant(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(type(value).__name__)
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _number(sql: str, *values: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        (number,) = cursor.fetchone()
    return int(number)
