"""Tidying up after messages."""

from celery import shared_task
from django.utils import timezone

from docbook.outbox import services


@shared_task(name="outbox.purge_done_messages")
def purge_done_messages() -> None:
    services.purge_done_messages(now=timezone.now())
