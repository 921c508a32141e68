"""Changes who has a slot: keep, give back. Two functions of the database make a patient's claims
and bookings when they hold and confirm (bookings/engine/sql).

Uses conditional UPDATEs and the database's own clock. Several slots are always locked in order of
id. So two visits that want neighbouring times wait for each other and never deadlock. All functions
run in the caller's transaction.

The clock is `clock_timestamp()`, not `now()`. A transaction or statement that waited for a lock
must judge by the time when it looks, not by the time when it began.
"""

from datetime import datetime, timedelta
from uuid import UUID

from docbook.postgres.rows import rows_of

_LOCK = "SELECT id FROM doctors_slot WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE"

# If a visit moves by less than its length, it keeps some slots booked until the new time is
# confirmed. Only the others are held.
_RENEW = """
WITH term AS MATERIALIZED (
    SELECT least(clock_timestamp() + %(term)s, %(latest)s) AS until
), renewed AS (
    UPDATE doctors_slot SET held_until = until FROM term
    WHERE id = ANY(%(ids)s) AND hold_id = %(hold)s
      AND state = 'held' AND held_until > clock_timestamp()
    RETURNING id)
SELECT (SELECT count(*) FROM renewed), until, (
    SELECT count(*) FROM doctors_slot
    WHERE id = ANY(%(ids)s) AND hold_id = %(replaces)s AND state = 'booked')
FROM term
"""

_BOOK = """
WITH free AS (
    SELECT FROM doctors_slot
    WHERE id = ANY(%(ids)s) AND (
        state = 'open' OR (state = 'held' AND held_until <= clock_timestamp())
        OR (state = 'booked' AND hold_id = %(replaces)s::uuid)))
UPDATE doctors_slot SET state = 'booked', hold_id = %(hold)s, held_until = NULL
WHERE id = ANY(%(ids)s) AND (SELECT count(*) FROM free) = cardinality(%(ids)s)
RETURNING id
"""

_GIVE_BACK = """
UPDATE doctors_slot SET state = 'open', held_until = NULL, hold_id = NULL
WHERE id = ANY(%(ids)s) AND hold_id = %(hold)s AND state = 'held'
RETURNING id
"""

# Time that has begun stays booked: nobody else can use it.
_OPEN_BOOKED = """
UPDATE doctors_slot SET state = 'open', hold_id = NULL
WHERE id = ANY(%(ids)s) AND hold_id = %(hold)s AND state = 'booked'
  AND starts_at > clock_timestamp()
RETURNING id
"""


def lock_slots(*, slot_ids: list[int]) -> None:
    """Locks the rows in order of id, before the row of a hold.

    Everybody locks slots first and holds second. In the other order, a confirmation and a claim of
    the same expired slot could wait for each other.
    """
    rows_of(_LOCK, ids=slot_ids)


def renew_slots(
    *,
    slot_ids: list[int],
    hold_id: UUID,
    replaces: UUID | None,
    term: timedelta,
    latest: datetime,
) -> datetime | None:
    """Keeps the slots for the full term from now, but not beyond `latest`, when the visit begins.
    None if the hold no longer has them, and the visit that it moves has not booked them.
    """
    [(held, until, own)] = rows_of(
        _RENEW, ids=slot_ids, hold=hold_id, replaces=replaces, term=term, latest=latest
    )
    return until if held + own == len(slot_ids) else None


def book_slots(*, slot_ids: list[int], hold_id: UUID, replaces: UUID | None = None) -> bool:
    """Books at once, without a hold, slots that are free or belong to a visit that moves. The
    caller has locked them. Books none and returns False if somebody else has one of them.
    """
    return bool(rows_of(_BOOK, ids=slot_ids, hold=hold_id, replaces=replaces))


def give_back_slots(*, slot_ids: list[int], hold_id: UUID) -> int:
    """Opens the slots that this hold still has; returns how many."""
    return len(rows_of(_GIVE_BACK, ids=slot_ids, hold=hold_id))


def open_booked_slots(*, slot_ids: list[int], hold_id: UUID) -> list[int]:
    """Opens the slots this appointment has booked and that have not begun; returns their ids."""
    return sorted(row[0] for row in rows_of(_OPEN_BOOKED, ids=slot_ids, hold=hold_id))
