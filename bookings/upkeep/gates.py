"""A look at the gate: behind each lock a time is kept."""

from bookings.engine import slot_gate
from bookings.engine.selectors import keys_of_kept_times


def open_gates_without_hold() -> int:
    """Opens the locks that no live hold stands behind, and returns how many there were.

    There is one where Redis was away while a time was given back. The locks are read before the
    holds: a hold is in the database before it has its lock.
    """
    locks = slot_gate.locks()
    kept = keys_of_kept_times() if locks else set()
    return sum(
        slot_gate.leave(slot_id=slot_id, holder_keys=[key])
        for slot_id, key in locks.items()
        if (slot_id, key) not in kept
    )
