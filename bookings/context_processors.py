"""What the pages of doctors need from bookings. They may not import bookings."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from bookings.actors.holder import current_holder
from bookings.engine.selectors import newest_kept_time
from bookings.holding.selectors import running_pause


def booking(request: HttpRequest) -> dict[str, Any]:
    """`booking_pause`: set while no new time can be held. `waiting_hold`: the time this browser
    holds. Each is read once, and only by pages that use it.
    """
    return {
        "booking_pause": SimpleLazyObject(running_pause),
        "waiting_hold": SimpleLazyObject(lambda: newest_kept_time(current_holder(request))),
    }
