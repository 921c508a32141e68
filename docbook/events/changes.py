"""What has just changed on doctors' days, read from the audit trail.

Every change of a visit or of a held time writes an audit event in its own transaction. So nothing
has to be published on the way of a booking, and nothing can be forgotten.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from bookings.models import Hold
from docbook.postgres.rows import rows_of

# What pages are told, by the action that the audit names. Reading somebody's details is no change.
KINDS = {
    "appointment.confirmed": "booked",
    "appointment.cancelled": "cancelled",
    "appointment.rescheduled": "moved",
    "appointment.arrived": "arrived",
    "appointment.completed": "completed",
    "appointment.no_show": "missed",
    "appointment.undone": "changed",
    "appointment.updated": "changed",
    "note.written": "changed",
    "hold.created": "held",
    "hold.offered": "held",
    "hold.updated": "held",
    "hold.released": "freed",
    "hold.expired": "freed",
}

# Numbers of events are given out before their transactions end. One that ends after this many
# further events is not told any more; pages find it at their next look.
LATE_EVENTS = 5000

_BEGIN = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       (SELECT coalesce(max(id), 0) FROM audit_auditevent)
"""

# `unfinished` is the oldest transaction that runs now: all before it have ended and are visible to
# this very statement. With `+ 0` the planner must use the index of transactions: by the key it
# would read the last 5,000 events each time.
_NEWS = """
SELECT unfinished, event.id, event.xact, event.action, event.object_id
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS unfinished) AS snapshot
LEFT JOIN audit_auditevent AS event
    ON event.xact >= %(since)s AND event.id + 0 > %(above)s
    AND event.object_type IN ('hold', 'appointment') AND event.action = ANY(%(actions)s::text[])
ORDER BY event.id
"""


@dataclass(frozen=True)
class Change:
    """Names no patient: only whose day it was, and what kind of change. `day` is the date at the
    clinic.
    """

    doctor_id: int
    day: date
    kind: str


class Trail:
    """A place in the audit trail. It moves on with every look, and never passes an event whose
    transaction is still running.
    """

    def __init__(self) -> None:
        [(self._since, self._newest)] = rows_of(_BEGIN)
        self._seen: dict[int, int] = {}  # transactions by event, from the place on

    def news(self) -> list[Change]:
        """What was committed since the last look. One query, and a second one if there is any."""
        rows = rows_of(
            _NEWS,
            since=self._since,
            above=self._newest - LATE_EVENTS,
            actions=list(KINDS),
        )
        unfinished = rows[0][0]
        new = [row for row in rows if row[1] is not None and row[1] not in self._seen]
        self._seen |= {event_id: xact for _, event_id, xact, _, _ in new}
        self._seen = {key: xact for key, xact in self._seen.items() if xact >= unfinished}
        self._since = unfinished
        self._newest = max([self._newest, *(row[1] for row in new)])
        return _changes((action, UUID(about)) for *_, action, about in new)


def _changes(events: Iterable[tuple[str, UUID]]) -> list[Change]:
    """Each change once, in the order of the events. A visit has the id of its hold, which knows
    the doctor and the time.
    """
    told = list(events)
    if not told:
        return []
    holds = Hold.objects.filter(pk__in={about for _action, about in told}).select_related("clinic")
    places = {
        each.pk: (each.doctor_id, each.starts_at.astimezone(each.clinic.zone).date())
        for each in holds.only("doctor_id", "starts_at", "clinic__time_zone")
    }
    found = (Change(*places[about], KINDS[action]) for action, about in told if about in places)
    return list(dict.fromkeys(found))
