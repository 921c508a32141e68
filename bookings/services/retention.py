"""What is not kept of bookings that came to nothing."""

from datetime import datetime, timedelta

from bookings.models import Hold, HoldState
from docbook.batches import delete_in_batches

KEEP_ENDED_HOLDS = timedelta(days=7)


def purge_ended_holds(*, now: datetime) -> int:
    """Deletes holds that were given back or ran out more than a week ago; returns how many.

    They say who wanted to see which doctor, and why. The audit, which names nobody, stays; so does
    a confirmed hold, which belongs to its appointment.
    """
    ended = Hold.objects.filter(state__in=[HoldState.RELEASED, HoldState.EXPIRED])
    return delete_in_batches(ended.filter(expires_at__lt=now - KEEP_ENDED_HOLDS))
