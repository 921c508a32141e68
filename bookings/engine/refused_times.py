"""How often somebody picked a time that somebody else had got, until a task counts it.

Redis keeps a number for each slot. A refusal is the answer to a request that has done nothing, so
the database does not hear of it; what Redis loses is missing in the numbers of a doctor.
"""

from docbook import redis
from docbook.lock_keys import REFUSED_TIMES, REFUSED_TIMES_IN_COUNTING

# Longer than a task can be late.
KEPT_SECONDS = 3 * 24 * 3600

_NOTE = """
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""

# What an earlier task has taken and not finished comes first.
_TAKE = """
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('RENAME', KEYS[1], KEYS[2])
end
return redis.call('HGETALL', KEYS[2])
"""
_FORGET = "return redis.call('DEL', KEYS[1])"


def note(slot_id: int) -> None:
    redis.run(_NOTE, keys=[REFUSED_TIMES], arguments=[slot_id, KEPT_SECONDS])


def take() -> dict[int, int]:
    """How often each slot was refused, and again the same until `forget`: call it once that is
    written. Empty without Redis.
    """
    found = redis.run(_TAKE, keys=[REFUSED_TIMES, REFUSED_TIMES_IN_COUNTING], arguments=[]) or []
    return {int(slot): int(times) for slot, times in zip(found[::2], found[1::2], strict=True)}


def forget() -> None:
    redis.run(_FORGET, keys=[REFUSED_TIMES_IN_COUNTING], arguments=[])
