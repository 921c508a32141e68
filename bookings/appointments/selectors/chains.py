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
    SELECT id, starts_at, replaces FROM bookings_hold WHERE id = %(of)s
    UNION ALL
    SELECT earlier.id, earlier.starts_at, earlier.replaces
    FROM bookings_hold AS earlier JOIN chain ON earlier.id = chain.replaces)
SELECT (array_agg(id) FILTER (WHERE chain.replaces IS NULL))[1],
       coalesce(sum(version) FILTER (WHERE id <> %(of)s), 0)
FROM chain JOIN bookings_appointment USING (id, starts_at)
"""


def chain_of(appointment: Appointment) -> Chain:
    """The appointment and those that it took the place of. One query.

    Those before it change no more. Of itself counts the version that the caller has in hand, not
    the one that the database has by now: what is told of a state has the number of that state.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BACK_TO_THE_FIRST, {"of": appointment.pk})
        first, before = cursor.fetchone()
    return Chain(first=first, changes=before + appointment.version - 1)
