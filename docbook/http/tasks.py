"""Tidying up after requests."""

from celery import shared_task
from django.utils import timezone

from docbook.http.idempotency_key import purge_records


@shared_task(name="http.purge_idempotency_records")
def purge_idempotency_records() -> None:
    purge_records(now=timezone.now())
