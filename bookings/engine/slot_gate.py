"""The gate before the database: Redis lets one request for a time through and refuses the others.

`claim:slot:<slotId>` → the hold that a request is asking the database for. Others wait for the
answer, which takes milliseconds. A request that dies leaves a claim for two seconds.
`lock:slot:<slotId>` → the key of the holder whose hold is in the database, until it ends. So the
gate refuses nobody for a time that nobody holds; in doubt there is no lock. A visit of several
slots uses its first one.

The gate only protects PostgreSQL from a stampede. It decides nothing: even if it forgets a lock, or
is gone, the database gives a slot to one patient only.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from uuid import UUID

from docbook import fibers, redis
from docbook.lock_keys import CLAIM_OF_SLOT, LOCK_OF_SLOT

# The lock and the claim, with the slot's id.
_KEYS = (f"{LOCK_OF_SLOT}%d", f"{CLAIM_OF_SLOT}%d")
CONFLICTS = "count:booking_lock_conflicts_total"

# 0: somebody else has the time. 1: this request has the claim now. 2: this request came through
# before (its mark is there), so it may ask the database for its recorded answer. 3: another request
# is asking the database.
_ENTER = """
local lock, claim, conflicts, mark = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local hold, claim_ms, mark_seconds = ARGV[1], ARGV[2], ARGV[3]
local returns = mark and redis.call('EXISTS', mark) == 1
local inside = redis.call('GET', lock)
local is_open = not inside
for n = 4, #ARGV do is_open = is_open or inside == ARGV[n] end
if not is_open then
    if returns then return 2 end
    redis.call('INCR', conflicts)
    return 0
end
if not redis.call('SET', claim, hold, 'NX', 'PX', claim_ms) then return returns and 2 or 3 end
if mark then redis.call('SET', mark, '1', 'EX', mark_seconds) end
return 1
"""

# If the hold was given back in the meantime, neither its claim nor its lock is there any more.
_KEEP = """
local lock, claim = KEYS[1], KEYS[2]
local hold, ms = ARGV[1], ARGV[2]
local is_kept = redis.call('GET', claim) == hold
if is_kept then redis.call('DEL', claim) end
local inside = redis.call('GET', lock)
for n = 3, #ARGV do is_kept = is_kept or inside == ARGV[n] end
if is_kept then redis.call('SET', lock, ARGV[3], 'PX', ms) end
return 1
"""

# Only the holder may give a lock back: a late release must not open the next patient's gate.
_LEAVE = """
local lock, claim = KEYS[1], KEYS[2]
if redis.call('GET', claim) == ARGV[1] then redis.call('DEL', claim) end
local inside, opened = redis.call('GET', lock), 0
for n = 2, #ARGV do
    if inside == ARGV[n] then opened = redis.call('DEL', lock) end
end
return opened
"""

# A page of all locks: the next cursor, then each lock followed by its holder.
_LOCKS = """
local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2] .. '*', 'COUNT', 1000)
local found = {page[1]}
for _, lock in ipairs(page[2]) do
    table.insert(found, lock)
    table.insert(found, redis.call('GET', lock) or '')
end
return found
"""

MOST_PAGES = 1000
MARK_SECONDS = 24 * 3600
# Longer than the database takes for a hold, even under load.
CLAIM_SECONDS = 2.0
WAIT_SECONDS = 1.0
PAUSE_SECONDS = 0.02
# A lock ends before its hold and never after it.
EARLY = timedelta(seconds=1)


class Passage(Enum):
    """The result of asking the gate. UNKNOWN is let through as well."""

    REFUSED = 0
    ENTERED = 1
    BESIDE = 2
    WAITING = 3
    UNKNOWN = 4


def enter(
    *, slot_id: int, hold_id: UUID, holder_keys: Sequence[str], request_mark: str = ""
) -> Passage:
    """Claims this slot for the hold unless somebody else holds it. Waits at most a second while
    another request is asking the database; after that the database decides who was first.

    `request_mark` stands for the user and Idempotency-Key of a request that may be a retry. After
    ENTERED, call `keep` or `leave`. Without Redis the database alone decides.
    """
    marks = [f"idem:{request_mark}"] if request_mark else []
    keys = [*(key % slot_id for key in _KEYS), CONFLICTS, *marks]
    claim_ms = int(CLAIM_SECONDS * 1000)
    arguments: list[str | int] = [str(hold_id), claim_ms, MARK_SECONDS, *holder_keys]
    gives_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        answer = redis.run(_ENTER, keys=keys, arguments=arguments)
        passage = Passage.UNKNOWN if answer is None else Passage(answer)
        if passage is not Passage.WAITING or time.monotonic() > gives_up_at:
            return passage
        fibers.pause(PAUSE_SECONDS)


def keep(*, slot_id: int, hold_id: UUID, holder_keys: Sequence[str], left: timedelta) -> None:
    """Turns the claim into a lock, or extends the holder's own lock, for what is `left` of the
    hold.

    Runs after the commit: a lock without its hold would keep everybody away for nothing.
    """
    milliseconds = int((left - EARLY) / timedelta(milliseconds=1))
    if milliseconds <= 0:
        leave(slot_id=slot_id, hold_id=hold_id)
        return
    keys = [key % slot_id for key in _KEYS]
    redis.run(_KEEP, keys=keys, arguments=[str(hold_id), milliseconds, *holder_keys])


def leave(*, slot_id: int, hold_id: UUID | None = None, holder_keys: Sequence[str] = ()) -> bool:
    """Gives back the claim of this hold, and the lock if one of these holders has it. Returns
    whether there was such a lock. Without Redis they expire by themselves.
    """
    keys = [key % slot_id for key in _KEYS]
    return bool(redis.run(_LEAVE, keys=keys, arguments=[str(hold_id), *holder_keys]))


def locks() -> dict[int, str]:
    """Each slot's lock and its holder, page by page; none without Redis."""
    found: dict[int, str] = {}
    cursor = "0"
    for _page in range(MOST_PAGES):
        answer = redis.run(_LOCKS, keys=[], arguments=[cursor, LOCK_OF_SLOT])
        if answer is None:
            return {}
        cursor, *names_and_keys = (each.decode() for each in answer)
        names, keys = names_and_keys[::2], names_and_keys[1::2]
        found |= {
            int(name.removeprefix(LOCK_OF_SLOT)): key for name, key in zip(names, keys, strict=True)
        }
        if cursor == "0":
            break
    return found
