"""Deletes bookings that led to nothing."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from bookings.models import Hold, HoldState, PatientVisit, WaitlistEntry, WaitlistState
from bookings.waitlist.selectors import LIVE
from docbook.batches import delete_in_batches

KEEP_ENDED_HOLDS = timedelta(days=7)
KEEP_ENDED_WAITS = timedelta(days=30)
KEEP_PAST_TIMES = timedelta(days=7)


def purge_ended_holds(*, now: datetime) -> int:
    """Deletes holds that were given back or expired more than a week ago; returns how many.

    They say who wanted to see which doctor, and why. The audit, which names nobody, stays. A
    confirmed hold stays too: it belongs to its appointment.
    """
    ended = Hold.objects.filter(state__in=[HoldState.RELEASED, HoldState.EXPIRED])
    # For somebody who still waits, we must know what they were offered.
    waiting = WaitlistEntry.objects.filter(state__in=LIVE, pk=OuterRef("waitlist_entry"))
    return delete_in_batches(
        ended.filter(~Q(Exists(waiting)), expires_at__lt=now - KEEP_ENDED_HOLDS)
    )


def purge_past_times(*, now: datetime) -> int:
    """Deletes the times of visits that ended more than a week ago; returns how many. The visits
    stay. Nobody can be busy in the past, and the table of times stays as small as what is to come.
    """
    return delete_in_batches(PatientVisit.objects.filter(ends_at__lt=now - KEEP_PAST_TIMES))


def purge_ended_waits(*, now: datetime) -> int:
    """Deletes entries of people who left the waitlist or waited in vain, a month after the last day
    they named; returns how many. An entry that led to a visit belongs to it.
    """
    over = WaitlistEntry.objects.filter(
        ~Q(Exists(Hold.objects.filter(waitlist_entry=OuterRef("pk")))),
        state__in=[WaitlistState.WITHDRAWN, WaitlistState.ENDED],
        until_on__lt=(now - KEEP_ENDED_WAITS).date(),
    )
    return delete_in_batches(over)
