"""Background work of accounts. Running a task twice does nothing more."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts import kept_secrets, retention
from accounts.mails import send_noted
from docbook.outbox.receiving import one_by_one, receive


@shared_task(name="accounts.send_mail")
def send_mail(*copies: Any) -> None:
    """Topic account.mail: {mail_id}."""
    receive(copies, handle=one_by_one(send_noted))


@shared_task(name="accounts.purge_refresh_sessions")
def purge_refresh_sessions() -> None:
    retention.purge_refresh_sessions(now=timezone.now())


@shared_task(name="accounts.purge_codes")
def purge_codes() -> None:
    retention.purge_codes(now=timezone.now())


@shared_task(name="accounts.renew_kept_secrets")
def renew_kept_secrets() -> None:
    kept_secrets.renew_all()
