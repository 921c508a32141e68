"""Telling the waitlist that times are free again."""

from bookings.selectors.waitlist import somebody_waits
from docbook.outbox.services import publish


def announce_release(*, doctor_id: int, slot_ids: list[int]) -> None:
    """Belongs into every transaction that gives slots back. Says nothing where nobody waits.

    One message after the other for each doctor, so that the first in line gets the first time.
    """
    if slot_ids and somebody_waits(doctor_id=doctor_id, slot_ids=slot_ids):
        publish(
            "slot.released",
            about=f"times-of-{doctor_id}",
            doctor_id=doctor_id,
            slot_ids=",".join(str(slot_id) for slot_id in sorted(slot_ids)),
        )
