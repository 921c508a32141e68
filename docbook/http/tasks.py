"""Tidying up after requests."""

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from docbook.batches import delete_in_batches
from docbook.http.idempotency_key import purge_records


@shared_task(name="http.purge_idempotency_records")
def purge_idempotency_records() -> None:
    purge_records(now=timezone.now())


@shared_task(name="http.purge_sessions")
def purge_sessions() -> None:
    """Like the command clearsessions, but in batches."""
    delete_in_batches(Session.objects.filter(expire_date__lt=timezone.now()))
