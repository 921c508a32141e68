"""Changing who has a slot: claim, keep, book, give back.

This is where the race for a time is decided, by conditional UPDATEs and the database's own clock.
Several slots are always locked in the order of their ids, all or none, so that two visits that
want neighbouring times wait for each other and never deadlock. A claim does not even wait: a row
that somebody works on just now counts as held, so that a rush turns away at once instead of
queueing in front of the winner's next step. All functions run inside the caller's transaction.

The clock is `clock_timestamp()` and not `now()`: a transaction, or a statement, that waited for a
lock must judge by the time at which it looks, not by the time at which it began.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

_CLAIM = """
WITH locked AS (
    SELECT id, hold_id AS previous FROM doctors_slot
    WHERE id = ANY(%(ids)s)
      AND (state = 'open' OR (state = 'held' AND held_until <= clock_timestamp()))
    ORDER BY id FOR UPDATE SKIP LOCKED)
UPDATE doctors_slot AS slot
SET state = 'held', hold_id = %(hold)s, held_until = clock_timestamp() + %(term)s
FROM locked WHERE slot.id = locked.id
RETURNING slot.held_until, locked.previous
"""

_LOCK = "SELECT id FROM doctors_slot WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE"

_RENEW = """
UPDATE doctors_slot SET held_until = clock_timestamp() + %(term)s
WHERE id = ANY(%(ids)s) AND hold_id = %(hold)s
  AND state = 'held' AND held_until > clock_timestamp()
RETURNING held_until
"""

_BOOK = """
UPDATE doctors_slot SET state = 'booked', held_until = NULL
WHERE id = ANY(%(ids)s) AND hold_id = %(hold)s
  AND state = 'held' AND held_until > clock_timestamp()
RETURNING id
"""

_GIVE_BACK = """
UPDATE doctors_slot SET state = 'open', held_until = NULL, hold_id = NULL
WHERE id = ANY(%(ids)s) AND hold_id = %(hold)s AND state = 'held'
RETURNING id
"""

# What has begun stays booked: nobody can come into it any more.
_OPEN_BOOKED = """
UPDATE doctors_slot SET state = 'open', hold_id = NULL
WHERE id = ANY(%(ids)s) AND hold_id = %(hold)s AND state = 'booked'
  AND starts_at > clock_timestamp()
RETURNING id
"""


@dataclass(frozen=True)
class Claim:
    """`held_until` is an aware instant; `lapsed` are the holds whose time was over."""

    held_until: datetime
    lapsed: list[UUID]


def claim_slots(*, slot_ids: list[int], hold_id: UUID, term: timedelta) -> Claim | None:
    """Takes all the slots for this hold, or none: None means that at least one is not free.

    After None the caller must roll back, because some of the slots may have been taken.
    """
    rows = _run(_CLAIM, ids=slot_ids, hold=hold_id, term=term)
    if len(rows) < len(slot_ids):
        return None
    return Claim(held_until=rows[0][0], lapsed=sorted({row[1] for row in rows if row[1]}))


def lock_slots(*, slot_ids: list[int]) -> None:
    """Locks the rows in the order of their ids, before the row of a hold is locked.

    Everybody takes slots first and holds second; in the other order a confirmation and a claim of
    the same lapsed slot could wait for each other.
    """
    _run(_LOCK, ids=slot_ids)


def renew_slots(*, slot_ids: list[int], hold_id: UUID, term: timedelta) -> datetime | None:
    """Keeps the slots for the full term from now; None when they are no longer held by it."""
    rows = _run(_RENEW, ids=slot_ids, hold=hold_id, term=term)
    return rows[0][0] if len(rows) == len(slot_ids) else None


def book_slots(*, slot_ids: list[int], hold_id: UUID) -> bool:
    """Held by this hold → booked. False when the hold's time is over; the caller rolls back."""
    return len(_run(_BOOK, ids=slot_ids, hold=hold_id)) == len(slot_ids)


def give_back_slots(*, slot_ids: list[int], hold_id: UUID) -> int:
    """Opens the slots that this hold still has; returns how many."""
    return len(_run(_GIVE_BACK, ids=slot_ids, hold=hold_id))


def open_booked_slots(*, slot_ids: list[int], hold_id: UUID) -> list[int]:
    """Opens what this appointment has booked and what has not begun; returns the ids of these."""
    return sorted(row[0] for row in _run(_OPEN_BOOKED, ids=slot_ids, hold=hold_id))


def _run(sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
