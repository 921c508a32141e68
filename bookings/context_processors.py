"""What the pages of doctors need from bookings. They may not import bookings."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from bookings.actors.sessions import current_holder
from bookings.engine.selectors import live_holds
from bookings.holding.selectors import running_pause
from bookings.models import Hold


def booking(request: HttpRequest) -> dict[str, Any]:
    """`booking_pause`: set while no new time can be held. `waiting_hold`: the time this browser
    holds. Each is read once, and only by pages that use it.
    """
    return {
        "booking_pause": SimpleLazyObject(running_pause),
        "waiting_hold": SimpleLazyObject(lambda: _waiting_hold(request)),
    }


def _waiting_hold(request: HttpRequest) -> Hold | None:
    live = live_holds(holder=current_holder(request)).filter(waitlist_entry=None)
    return live.select_related("doctor", "clinic").last()
