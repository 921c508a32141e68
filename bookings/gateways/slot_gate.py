"""The gate before the database: Redis lets one holder per time through, the rest turn at once.

`lock:slot:<slotId>` → the holder's key, for as long as a hold lives. It names the holder and not
the hold, so that somebody whose request died behind the gate gets in again with the next try. A
visit of several slots enters by its first one. The gate only spares PostgreSQL a stampede. It
decides nothing: it may forget a lock, or be gone, and the database still gives a slot to one
patient only.
"""

from enum import Enum

from django.conf import settings

from docbook import redis

CONFLICTS = "count:booking_lock_conflicts_total"

# 1: taken just now. 2: was this holder's already. 0: somebody else is inside. A request that came
# through before (its mark is there) goes to its recorded answer, whoever is inside.
_ENTER = """
local inside = redis.call('GET', KEYS[1])
if inside and inside ~= ARGV[1] then
    if KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1 then return 2 end
    redis.call('INCR', KEYS[2])
    return 0
end
if KEYS[3] then redis.call('SET', KEYS[3], '1', 'EX', ARGV[3]) end
if inside then return 2 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

# Only the holder may give a lock back: a late release must not open the next patient's gate.
_LEAVE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

MARK_SECONDS = 24 * 3600


class Entry(Enum):
    """How somebody stands before the gate; UNKNOWN is let through as well."""

    REFUSED = 0
    ENTERED = 1
    INSIDE = 2
    UNKNOWN = 3


def enter(*, slot_id: int, holder_key: str, request_mark: str = "") -> Entry:
    """Takes the gate of this slot, unless somebody else is inside.

    `request_mark` stands for the user and Idempotency-Key of a request that may be a retry.
    ENTERED is to be given back if nothing comes of it. Without Redis the database alone decides.
    """
    keys = [_key(slot_id), CONFLICTS, *([f"idem:{request_mark}"] if request_mark else [])]
    arguments: list[str | int] = [holder_key, settings.HOLD_SECONDS * 1000, MARK_SECONDS]
    answer = redis.run(_ENTER, keys=keys, arguments=arguments)
    return Entry.UNKNOWN if answer is None else Entry(answer)


def leave(*, slot_id: int, holder_key: str) -> None:
    """Gives the gate back if this holder has it. Without Redis it lapses by itself."""
    redis.run(_LEAVE, keys=[_key(slot_id)], arguments=[holder_key])


def _key(slot_id: int) -> str:
    return f"lock:slot:{slot_id}"
