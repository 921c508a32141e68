"""What the pages of doctors need to know of bookings, which they cannot ask for themselves."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from bookings.selectors.pause import running_pause


def booking(_request: HttpRequest) -> dict[str, Any]:
    """`booking_pause`: set while no new time can be held. Read once, by pages that ask for it."""
    return {"booking_pause": SimpleLazyObject(running_pause)}
