"""What somebody has typed about themselves but not sent yet. It survives a sign-in and a lost time.

The session has only its id. The text is a row, deleted after a quarter of an hour, or as soon as it
was sent, confirmed or given back.
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
    """Stores what a POST of the details brings, on top of what was `sent` with a lost hold."""
    given = {name: request.POST.get(name, "").replace("\0", "") for name in DRAFT_FIELDS}
    now = {name: text[:LONGEST] for name, text in given.items() if text}
    if typed := {**(sent or {}), **now}:
        draft_id = drafts.write_draft(
            draft_id=_id(request), user_id=request.user.pk, typed=typed, now=timezone.now()
        )
        request.session[SESSION_DRAFT] = str(draft_id)


def draft_of(request: HttpRequest) -> dict[str, str]:
    """Empty if somebody else typed it, or too long ago; then it is deleted."""
    draft_id = _id(request)
    if draft_id is None:
        return {}
    typed = drafts.read_draft(draft_id=draft_id, user_id=request.user.pk, now=timezone.now())
    if typed is None:
        drop_draft(request)
    return typed or {}


def drop_draft(request: HttpRequest) -> None:
    known = request.session.pop(SESSION_DRAFT, None)
    if isinstance(known, str):
        drafts.drop_draft(draft_id=UUID(known))


def _id(request: HttpRequest) -> UUID | None:
    """Old sessions, from before drafts had rows, contain the text itself. The first look
    removes it.
    """
    known = request.session.get(SESSION_DRAFT)
    if isinstance(known, dict):
        del request.session[SESSION_DRAFT]
        return None
    return UUID(known) if known else None
