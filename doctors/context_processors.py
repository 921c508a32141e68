"""What the frame of every page needs."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from doctors.selectors.doctors import runs_a_day

_SECTIONS = {
    "/appointments/": "appointments",
    "/doctors/": "doctors",
    "/book/": "doctors",
    "/schedule/": "schedule",
    "/accounts/": "account",
}


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`nav`: the section of the site. `user_is_doctor_side`: whether the user has a schedule."""
    return {
        "nav": next(
            (name for start, name in _SECTIONS.items() if request.path.startswith(start)), ""
        ),
        "user_is_doctor_side": SimpleLazyObject(lambda: _runs_a_schedule(request)),
    }


def _runs_a_schedule(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return bool(user and user.is_authenticated and runs_a_day(user))
