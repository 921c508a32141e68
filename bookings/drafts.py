"""What somebody has typed about themselves and not sent yet: it outlives a sign-in and a lost time.

Kept in the session, on our side only; a sign-out empties it.
"""

import time
from collections.abc import Mapping

from django.http import HttpRequest

SESSION_DRAFT = "booking_draft"
DRAFT_FIELDS = ("first_name", "last_name", "email", "phone", "reason")
# Long enough to sign in by mail or to hold another time, too short for the next at this browser.
TERM_SECONDS = 15 * 60
LONGEST = 500


def keep_draft(request: HttpRequest, *, sent: Mapping[str, str] | None = None) -> None:
    """Notes what a POST of the details brings, over what was `sent` with a hold that is lost."""
    now = {name: request.POST[name][:LONGEST] for name in DRAFT_FIELDS if request.POST.get(name)}
    if typed := {**(sent or {}), **now}:
        request.session[SESSION_DRAFT] = {
            "by": str(request.user.pk or ""),
            "at": int(time.time()),
            "typed": typed,
        }


def draft_of(request: HttpRequest) -> dict[str, str]:
    """What this person has typed, also before signing in just now; never what another one has."""
    draft = request.session.get(SESSION_DRAFT)
    if draft is None:
        return {}
    fresh = time.time() - draft["at"] < TERM_SECONDS
    if not fresh or draft["by"] not in ("", str(request.user.pk)):
        drop_draft(request)
        return {}
    return dict(draft["typed"])


def drop_draft(request: HttpRequest) -> None:
    request.session.pop(SESSION_DRAFT, None)
