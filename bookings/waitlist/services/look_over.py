"""A look over all entries: is a time free that they want?"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

from bookings.models import Hold, WaitlistEntry
from bookings.waitlist.selectors import free_times_near, waiting_beside_free_times
from bookings.waitlist.services.offers import may_offer, offer_the_first
from docbook.lock_keys import LOOK_OVER_WAITLIST

# How often beat looks, and at how many entries: the worker also has codes to send.
EVERY = timedelta(minutes=5)
MOST_ENTRIES = 1000

_BEGIN = "SELECT pg_try_advisory_lock(%s, %s)"
_END = "SELECT pg_advisory_unlock(%s, %s)"


def offer_free_times(*, now: datetime) -> list[Hold]:
    """Checks for each waiting entry, in order of joining, whether a time that it wants is free.

    This finds times that were released in quiet hours, or without a message. Does nothing while
    another run is working.
    """
    with _alone() as is_alone:
        if not is_alone:
            return []
        offers = [_offer_what_is_free(entry, now=now) for entry in _whose_turn_it_is(now)]
    return [offer for offer in offers if offer is not None]


def _whose_turn_it_is(now: datetime) -> list[WaitlistEntry]:
    """If the line is longer than one run, each run takes the next part, so unmatched entries never
    starve later ones.
    """
    waiting = waiting_beside_free_times(now=now)
    parts = max(1, -(-waiting.count() // MOST_ENTRIES))
    first = int(now.timestamp() // EVERY.total_seconds()) % parts * MOST_ENTRIES
    return list(waiting[first : first + MOST_ENTRIES])


def _offer_what_is_free(entry: WaitlistEntry, *, now: datetime) -> Hold | None:
    allowed = (
        (time, visit_type)
        for time, visit_type in free_times_near(entry, now=now)
        if may_offer(starts_at=time.starts_at, zone=time.zone, now=now)
    )
    return offer_the_first(entry, among=allowed, now=now)


@contextmanager
def _alone() -> Iterator[bool]:
    """Two runs would both read every grid, and the second would offer nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, LOOK_OVER_WAITLIST)
        (is_alone,) = cursor.fetchone()
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute(_END, LOOK_OVER_WAITLIST)
