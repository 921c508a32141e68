"""A visit that was moved is one thing to its patient, and several appointments to us."""

from collections.abc import Collection
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
    SELECT id AS last, id, starts_at, replaces FROM bookings_hold WHERE id = ANY(%(of)s::uuid[])
    UNION ALL
    SELECT chain.last, earlier.id, earlier.starts_at, earlier.replaces
    FROM bookings_hold AS earlier JOIN chain ON earlier.id = chain.replaces)
SELECT chain.last, (array_agg(chain.id) FILTER (WHERE chain.replaces IS NULL))[1],
       coalesce(sum(version) FILTER (WHERE chain.id <> chain.last), 0)
FROM chain JOIN bookings_appointment USING (id, starts_at)
GROUP BY chain.last
"""


def chain_of(appointment: Appointment) -> Chain:
    return chains_of([appointment])[appointment.pk]


def chains_of(appointments: Collection[Appointment]) -> dict[UUID, Chain]:
    """Each appointment with the ones it replaced, by its id. One query if any was moved.

    Earlier appointments no longer change. For the appointment itself, the caller's version counts,
    not the current one in the database: a message about a state has the number of that state.
    """
    moved = [each.pk for each in appointments if each.replaces]
    rows = rows_of(_BACK_TO_THE_FIRST, of=moved) if moved else []
    before = {last: (first, changes) for last, first, changes in rows}
    chains = {}
    for each in appointments:
        first, changes = before.get(each.pk, (each.pk, 0))
        chains[each.pk] = Chain(first=first, changes=changes + each.version - 1)
    return chains
