"""The gate before the database: Redis lets one hold per slot through, the rest turn at once.

`lock:slot:<slotId>` → hold id, for as long as a hold lives. The gate only spares PostgreSQL a
stampede. It decides nothing: it may forget a lock, or be gone, and the database still gives a slot
to one patient only.
"""

from collections.abc import Sequence
from uuid import UUID

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


def enter(*, slot_ids: Sequence[int], hold_id: UUID) -> bool:
    """Takes the gate of every slot; False (and none taken) when somebody is inside of one.

    True as well when Redis does not answer: then the database alone decides.
    """
    entered: list[int] = []
    try:
        redis = get_redis_connection("default")
        for slot_id in slot_ids:
            milliseconds = settings.HOLD_SECONDS * 1000
            if not redis.set(_key(slot_id), str(hold_id), nx=True, px=milliseconds):
                leave(slot_ids=entered, hold_id=hold_id)
                return False
            entered.append(slot_id)
    except RedisError:
        log.warning("slot_gate_unreachable")
    return True


def leave(*, slot_ids: Sequence[int], hold_id: UUID) -> None:
    """Gives back the gates that this hold has. Without Redis they lapse by themselves."""
    try:
        redis = get_redis_connection("default")
        for slot_id in slot_ids:
            redis.eval(_GIVE_BACK, 1, _key(slot_id), str(hold_id))
    except RedisError:
        log.warning("slot_gate_unreachable")


def _key(slot_id: int) -> str:
    return f"lock:slot:{slot_id}"
