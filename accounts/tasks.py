"""Background work of accounts. Each task does nothing the second time."""

from celery import shared_task
from django.utils import timezone

from accounts import retention


@shared_task(name="accounts.purge_refresh_sessions")
def purge_refresh_sessions() -> None:
    retention.purge_refresh_sessions(now=timezone.now())
