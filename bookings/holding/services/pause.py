"""Stops new bookings for a while, and starts them again."""

from datetime import datetime

from django.db import transaction

from bookings.models import BookingPause
from docbook.audit import services as audit


def set_pause(
    *, is_on: bool, until: datetime | None, message: str, by: audit.Actor
) -> BookingPause:
    """Takes effect from the next hold on. Earlier holds may be confirmed; visits stay."""
    with transaction.atomic():
        pause, _created = BookingPause.objects.update_or_create(
            pk=1, defaults={"is_on": is_on, "until": until, "message": message}
        )
        audit.record(
            action="booking.paused" if is_on else "booking.resumed",
            by=by,
            on=("booking_pause", pause.pk),
            after={"is_on": is_on, "until": until.isoformat() if until else None},
        )
    return pause
