"""Mails about accounts: stored together with their cause, written and sent by a worker."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.codes import code_of_mail, is_open
from accounts.models import AccountMail, User
from docbook.batches import delete_in_batches
from docbook.notify.email import send_email
from docbook.notify.letters import Letter
from docbook.outbox.receiving import Received
from docbook.outbox.services import publish

PREFIX = "account/email/"
CODES = ("login_code", "email_confirmation", "email_confirmation_signup")
RESET = "password_reset_key"
# Words that a text needs and no table has. Codes and keys of links are not among them.
FACTS = ("from_email", "to_email", "deleted_email", "ip", "user_agent", "timestamp")
# By then the message was sent or given up.
KEEP = timedelta(days=2)


def note_mail(
    template: str, *, email: str, user: User | None, context: dict[str, Any]
) -> AccountMail:
    """Adds the mail and its message to the caller's transaction."""
    facts = {name: str(context[name]) for name in FACTS if name in context}
    mail = AccountMail.objects.create(template=template, email=email, user=user, facts=facts)
    publish("account.mail", about=f"account-mail-{mail.pk}", mail_id=mail.pk)
    return mail


def send_noted(message: Received, *, mail_id: str) -> None:
    """Sends the mail and deletes its row. Skips a code that no longer works."""
    mail = AccountMail.objects.select_related("user").filter(pk=UUID(mail_id)).first()
    if mail is None:
        return
    if _still_helps(mail, now=timezone.now()):
        send_email(_written(mail), message_id=message.id)
    mail.delete()


def purge_mails(*, now: datetime) -> int:
    """Deletes mails that could not be sent; returns how many."""
    return delete_in_batches(AccountMail.objects.filter(created_at__lt=now - KEEP))


def _still_helps(mail: AccountMail, *, now: datetime) -> bool:
    if mail.template in CODES:
        return is_open(mail.pk, now=now)
    return mail.template != RESET or (mail.user is not None and mail.user.is_active)


def _written(mail: AccountMail) -> Letter:
    context = mail.facts | {"email": mail.email, "user": mail.user, "base_url": settings.SITE_URL}
    if mail.template in CODES:
        context["code"] = code_of_mail(mail.pk)
        context["minutes"] = settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60
    if mail.template == RESET and mail.user is not None:
        context["password_reset_url"] = _reset_link(mail.user)
    # Templates of the second factor are elsewhere and name their folder.
    template = mail.template if "/" in mail.template else f"{PREFIX}{mail.template}"
    subject, text, html = (
        render_to_string(f"{template}_{part}", context)
        for part in ("subject.txt", "message.txt", "message.html")
    )
    letter = Letter(
        subject=" ".join(subject.split()),
        body=text.strip(),
        to=[mail.email],
        headers={"Message-ID": f"<account-{mail.pk}@docbook>", "Auto-Submitted": "auto-generated"},
    )
    letter.attach_alternative(html.strip(), "text/html")
    return letter


def _reset_link(user: User) -> str:
    """Makes the key when the mail is written. The Host header of the request cannot change where
    the link leads.
    """
    address = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    path = reverse("account_reset_password_from_key", kwargs=address)
    return f"{settings.SITE_URL}{path}"
