"""Stores what was typed but not sent yet, and deletes it in time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from bookings.models import Draft
from docbook.batches import delete_in_batches

# Long enough to sign in by mail or to hold another time, too short for the next person at this
# browser.
TERM = timedelta(minutes=15)


def write_draft(
    *, draft_id: UUID | None, user_id: int | None, typed: Mapping[str, str], now: datetime
) -> UUID:
    """Replaces the earlier draft; returns the id to find it by."""
    if draft_id is not None:
        drop_draft(draft_id=draft_id)
    return Draft.objects.create(user_id=user_id, typed=dict(typed), expires_at=now + TERM).pk


def read_draft(*, draft_id: UUID, user_id: int | None, now: datetime) -> dict[str, str] | None:
    """What this person has typed, even before they signed in; never what another person has
    typed.
    """
    mine = Q(user=None) | Q(user=user_id)
    draft = Draft.objects.filter(mine, pk=draft_id, expires_at__gt=now).first()
    return draft.typed if draft else None


def drop_draft(*, draft_id: UUID) -> None:
    Draft.objects.filter(pk=draft_id).delete()


def purge_drafts(*, now: datetime) -> int:
    """Deletes expired drafts; returns how many."""
    return delete_in_batches(Draft.objects.filter(expires_at__lte=now))
