"""What is not kept of accounts."""

from datetime import datetime

from django.db.models import Q

from accounts.models import RefreshSession
from docbook.batches import delete_in_batches


def purge_refresh_sessions(*, now: datetime) -> int:
    """Deletes sign-ins of mobile apps that are ended or out of date; returns how many.

    A token of a session that is gone is refused as one of a session that is ended.
    """
    over = Q(expires_at__lte=now) | Q(ended_at__isnull=False)
    return delete_in_batches(RefreshSession.objects.filter(over))
