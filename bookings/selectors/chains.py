"""A visit that was moved is one thing to its patient, and several appointments to us."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from bookings.models import Appointment


@dataclass(frozen=True)
class Chain:
    """`first` is the appointment that all began with. `changes` grows with every change of any
    appointment of the chain, and with every move: it orders what is told about the visit.
    """

    first: UUID
    changes: int


# By the holds, which have the same ids and know in which month the appointment lies.
_BACK_TO_THE_FIRST = """
WITH RECURSIVE chain AS (
    SELECT id, starts_at, replaces FROM bookings_hold WHERE id = %s
    UNION ALL
    SELECT earlier.id, earlier.starts_at, earlier.replaces
    FROM bookings_hold AS earlier JOIN chain ON earlier.id = chain.replaces)
SELECT (array_agg(id) FILTER (WHERE chain.replaces IS NULL))[1], sum(version) - 1
FROM chain JOIN bookings_appointment USING (id, starts_at)
"""


def chain_of(appointment: Appointment) -> Chain:
    """The appointment and those that it took the place of. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_BACK_TO_THE_FIRST, [appointment.pk])
        first, changes = cursor.fetchone()
    return Chain(first=first, changes=changes)
