"""The gate before the database: Redis lets one holder per slot through, the rest turn at once.

`lock:slot:<slotId>` → the holder's key, for as long as a hold lives. It names the holder and not
the hold, so that somebody whose request died behind the gate gets in again with the next try. The
gate only spares PostgreSQL a stampede. It decides nothing: it may forget a lock, or be gone, and
the database still gives a slot to one patient only.
"""

from collections.abc import Sequence

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# Only the holder may give a lock back: a late release must not open the next patient's gate.
_GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


def enter(*, slot_ids: Sequence[int], holder_key: str) -> list[int] | None:
    """Takes the gate of every slot; None (and none taken) when somebody else is inside of one.

    Returns the slots whose gate was taken just now: those are to be given back if nothing comes of
    it. Without Redis there is none of them, and the database alone decides.
    """
    entered: list[int] = []
    try:
        redis = get_redis_connection("default")
        for slot_id in slot_ids:
            key, milliseconds = _key(slot_id), settings.HOLD_SECONDS * 1000
            if redis.set(key, holder_key, nx=True, px=milliseconds):
                entered.append(slot_id)
            elif redis.get(key) != holder_key.encode():
                leave(slot_ids=entered, holder_key=holder_key)
                return None
    except RedisError:
        log.warning("slot_gate_unreachable")
    return entered


def leave(*, slot_ids: Sequence[int], holder_key: str) -> None:
    """Gives back the gates that this holder has. Without Redis they lapse by themselves."""
    try:
        redis = get_redis_connection("default")
        for slot_id in slot_ids:
            redis.eval(_GIVE_BACK, 1, _key(slot_id), holder_key)
    except RedisError:
        log.warning("slot_gate_unreachable")


def _key(slot_id: int) -> str:
    return f"lock:slot:{slot_id}"
