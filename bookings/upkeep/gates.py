"""Checks the gate: each lock must have a held time behind it."""

from bookings.engine import slot_gate
from bookings.engine.selectors import keys_of_kept_times


def open_gates_without_hold() -> int:
    """Opens locks without a live hold; returns how many there were.

    Such a lock remains if Redis was away while a time was given back. Locks are read before holds:
    a hold is in the database before it has its lock.
    """
    locks = slot_gate.locks()
    kept = keys_of_kept_times() if locks else set()
    return sum(
        slot_gate.leave(slot_id=slot_id, holder_keys=[key])
        for slot_id, key in locks.items()
        if (slot_id, key) not in kept
    )
