"""Policy of bookings without a database."""

from collections.abc import Sequence
from datetime import datetime, timedelta


def reminder_period(*, hours: int, of: Sequence[int]) -> tuple[timedelta, timedelta]:
    """How long before the start this reminder helps: from `hours` until the next one is due.

    Counts elapsed hours, not wall-clock time. The last reminder helps until the visit begins.
    """
    nearer = max((each for each in of if each < hours), default=0)
    return timedelta(hours=hours), timedelta(hours=nearer)


def again_at(*, ended: Sequence[datetime], term: timedelta) -> datetime:
    """When a time may be offered again to a patient if no mail about it has reached them. Offers of
    `term` ended at these instants. The first new offer comes at once, then after pauses of 1, 3, 7,
    … terms.

    So an outage of the mail costs nobody their turn, and an address that takes no mail blocks a
    time for others less and less.
    """
    return max(ended) + term * ((1 << min(len(ended) - 1, 10)) - 1)
