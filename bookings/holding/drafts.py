"""What somebody has typed about themselves and not sent yet: it outlives a sign-in and a lost time.

The session knows only its id; the text is a row that is deleted after a quarter of an hour, or as
soon as it was sent, confirmed or given back.
"""

from collections.abc import Mapping
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from bookings.holding.services import drafts

SESSION_DRAFT = "booking_draft"
DRAFT_FIELDS = ("first_name", "last_name", "email", "phone", "reason")
LONGEST = 500


def keep_draft(request: HttpRequest, *, sent: Mapping[str, str] | None = None) -> None:
    """Notes what a POST of the details brings, over what was `sent` with a hold that is lost."""
    given = {name: request.POST.get(name, "").replace("\0", "") for name in DRAFT_FIELDS}
    now = {name: text[:LONGEST] for name, text in given.items() if text}
    if typed := {**(sent or {}), **now}:
        draft_id = drafts.write_draft(
            draft_id=_id(request), user_id=request.user.pk, typed=typed, now=timezone.now()
        )
        request.session[SESSION_DRAFT] = str(draft_id)


def draft_of(request: HttpRequest) -> dict[str, str]:
    """Nothing where it was typed by somebody else, or too long ago; then it is gone for good."""
    draft_id = _id(request)
    if draft_id is None:
        return {}
    typed = drafts.read_draft(draft_id=draft_id, user_id=request.user.pk, now=timezone.now())
    if typed is None:
        drop_draft(request)
    return typed or {}


def drop_draft(request: HttpRequest) -> None:
    if draft_id := _id(request):
        drafts.drop_draft(draft_id=draft_id)
        del request.session[SESSION_DRAFT]


def _id(request: HttpRequest) -> UUID | None:
    """Sessions from before drafts had rows hold the text itself, which goes with the first look."""
    known = request.session.get(SESSION_DRAFT)
    if isinstance(known, dict):
        del request.session[SESSION_DRAFT]
        return None
    return UUID(known) if known else None
