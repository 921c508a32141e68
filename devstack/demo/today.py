"""How far today's visits have come by the clock, when the demo is made. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count

from bookings.states import AppointmentStatus
from devstack.demo.visits import Visit

# So long before their visit, patients are in the waiting room.
EARLY = timedelta(minutes=25)
# Of the visits that are over, the second was missed, and then every eighth.
_MISSED, _OF = 1, 8


def marked(visits: Iterable[Visit], *, since: datetime, now: datetime) -> Iterator[Visit]:
    """Says of the visits from `since` on who came, as a practice does until `now`. Visits that are
    over were completed or missed; who comes next has arrived.
    """
    over = count()
    for visit in visits:
        if visit.status != AppointmentStatus.CONFIRMED or visit.starts_at < since:
            yield visit
        elif visit.ends_at <= now:
            is_missed = next(over) % _OF == _MISSED
            status = AppointmentStatus.NO_SHOW if is_missed else AppointmentStatus.COMPLETED
            yield visit._replace(status=status)
        elif visit.starts_at <= now + EARLY:
            yield visit._replace(status=AppointmentStatus.ARRIVED)
        else:
            yield visit
