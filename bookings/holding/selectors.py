"""Whether booking is paused."""

from django.db.models import Q

from bookings.engine.selectors import StatementTime
from bookings.models import BookingPause


def running_pause() -> BookingPause | None:
    """The pause for which a hold would be refused now, by the database's clock as there."""
    lasts = Q(until=None) | Q(until__gt=StatementTime())
    return BookingPause.objects.filter(lasts, is_on=True).first()
