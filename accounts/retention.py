"""Deletes account data that is not kept."""

from datetime import datetime

from django.db.models import Q

from accounts.guesses import purge_guesses
from accounts.mails import purge_mails
from accounts.models import AccountCode, RefreshSession
from docbook.batches import delete_in_batches


def purge_refresh_sessions(*, now: datetime) -> int:
    """Deletes app sign-ins that have ended or expired; returns how many.

    A token of a deleted session is refused like one of an ended session.
    """
    over = Q(expires_at__lte=now) | Q(ended_at__isnull=False)
    return delete_in_batches(RefreshSession.objects.filter(over))


def purge_codes(*, now: datetime) -> int:
    """Deletes expired codes, guesses older than a day, and mails that could not be sent; returns
    how many rows.
    """
    codes = delete_in_batches(AccountCode.objects.filter(expires_at__lte=now))
    return codes + purge_guesses(now=now) + purge_mails(now=now)
