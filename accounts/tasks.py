"""Background work of accounts. Running a task twice does nothing more."""

from functools import partial

from celery import shared_task
from django.utils import timezone

from accounts import kept_secrets, retention
from accounts.mails import send_noted
from docbook.outbox.services import receive


@shared_task(name="accounts.send_mail")
def send_mail(message_id: int, handed_out: int) -> None:
    """Topic account.mail: {mail_id}."""
    receive(message_id, handed_out, handle=partial(send_noted, message_id))


@shared_task(name="accounts.purge_refresh_sessions")
def purge_refresh_sessions() -> None:
    retention.purge_refresh_sessions(now=timezone.now())


@shared_task(name="accounts.purge_codes")
def purge_codes() -> None:
    retention.purge_codes(now=timezone.now())


@shared_task(name="accounts.renew_kept_secrets")
def renew_kept_secrets() -> None:
    kept_secrets.renew_all()
