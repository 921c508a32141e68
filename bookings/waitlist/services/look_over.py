"""A look over all entries: is a time free that they want?"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.core.cache import cache
from django.db import OperationalError, connection

from bookings.models import Hold, WaitlistEntry
from bookings.waitlist.selectors import free_times_near, waiting_beside_free_times
from bookings.waitlist.services.offers import may_offer, offer_the_first
from docbook.lock_keys import LOOK_OVER_WAITLIST, PLACE_IN_WAITLIST

log = structlog.get_logger(__name__)

# A run ends before beat starts the next.
MOST_TIME = timedelta(minutes=4)

_BEGIN = "SELECT pg_try_advisory_lock(%s, %s)"
_END = "SELECT pg_advisory_unlock(%s, %s)"


def offer_free_times(*, now: datetime) -> list[Hold]:
    """Checks for each waiting entry, in order of joining, whether a time that it wants is free.

    This finds times that were released in quiet hours, or without a message. A run that has taken
    too long ends, and the next goes on behind it, so unmatched entries never starve later ones.
    Does nothing while another run is working.
    """
    with _alone() as is_alone:
        return list(_offers_along_the_line(now=now)) if is_alone else []


def _offers_along_the_line(*, now: datetime) -> Iterator[Hold]:
    ends = monotonic() + MOST_TIME.total_seconds()
    for entry in waiting_beside_free_times(now=now, behind=cache.get(PLACE_IN_WAITLIST)):
        # Noted before the look: an entry that ends the run must not meet the next one again.
        cache.set(PLACE_IN_WAITLIST, (entry.created_at, entry.pk), timeout=None)
        if offer := _look_at(entry, now=now):
            yield offer
        if monotonic() >= ends:
            return
    cache.delete(PLACE_IN_WAITLIST)


def _look_at(entry: WaitlistEntry, *, now: datetime) -> Hold | None:
    """A time that somebody keeps locked must not block the look at all other entries."""
    try:
        return _offer_what_is_free(entry, now=now)
    except OperationalError:
        if not connection.is_usable():
            raise
        log.warning("waitlist_entry_not_looked_at", entry_id=str(entry.pk))
        return None


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
