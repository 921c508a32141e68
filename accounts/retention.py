"""What is not kept of accounts."""

from datetime import datetime

from django.db.models import Q

from accounts.guesses import purge_guesses
from accounts.mails import purge_mails
from accounts.models import AccountCode, RefreshSession
from docbook.batches import delete_in_batches


def purge_refresh_sessions(*, now: datetime) -> int:
    """Deletes sign-ins of mobile apps that are ended or out of date; returns how many.

    A token of a session that is gone is refused as one of a session that is ended.
    """
    over = Q(expires_at__lte=now) | Q(ended_at__isnull=False)
    return delete_in_batches(RefreshSession.objects.filter(over))


def purge_codes(*, now: datetime) -> int:
    """Deletes codes that are out of date, the guesses of a day ago, and mails that could not be
    sent; returns how many rows.
    """
    codes = delete_in_batches(AccountCode.objects.filter(expires_at__lte=now))
    return codes + purge_guesses(now=now) + purge_mails(now=now)
