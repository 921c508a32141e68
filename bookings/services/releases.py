"""Telling the waitlist that times are free again."""

from django.db import connection


def announce_release(*, doctor_id: int, slot_ids: list[int]) -> None:
    """Belongs into every transaction that gives slots back. Says nothing where nobody waits.

    Publishes `slot.released` in the database, which does so by itself when a move or a fifth wrong
    code gives a time back; see bookings/migrations/sql.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bookings_announce_release(%s, %s::bigint[])", [doctor_id, sorted(slot_ids)]
        )
