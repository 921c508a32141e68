"""A visit that was moved is one thing to its patient, and several appointments to us."""

from dataclasses import dataclass
from uuid import UUID

from bookings.models import Appointment
from docbook.postgres.rows import rows_of


@dataclass(frozen=True)
class Chain:
    """`first` is the first appointment of the chain. `changes` grows with every change of any
    appointment in the chain, and with every move. It orders the messages about the visit.
    """

    first: UUID
    changes: int


# Through the holds, which have the same ids and know the month of each appointment.
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
    """The appointment and the ones it replaced. One query.

    Earlier appointments no longer change. For the appointment itself, the caller's version counts,
    not the current one in the database: a message about a state has the number of that state.
    """
    [(first, before)] = rows_of(_BACK_TO_THE_FIRST, of=appointment.pk)
    return Chain(first=first, changes=before + appointment.version - 1)
