"""What we ask of django-allauth beyond its settings."""

import smtplib
from typing import Any
from urllib.parse import quote

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from docbook.http.addresses import client_address
from docbook.http.throttling import limit_by_value

# As for codes to sign in with: an address that is not one's own must not be proved by guessing.
EMAIL_CODES = "20/d"

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Says things as the rest of DocBook does, and sends links to our own address only."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("Address and password do not fit together."),
        "email_taken": _("There is an account with this address already."),
        "incorrect_code": _("That is not the code we sent."),
        "too_many_login_attempts": _("Too many tries. Wait a little, then ask for a new code."),
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mail that cannot be sent now must not turn a sign-in into an error page.

        The pages that follow offer to send again. Raises RateLimited for one code more than a day
        has for an address that is to be proved.
        """
        if template_prefix.startswith("account/email/email_confirmation"):
            limit_by_value(group="email-codes", rate=EMAIL_CODES, value=email)
        ours = {
            "base_url": settings.SITE_URL,
            "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60,
        }
        try:
            super().send_mail(template_prefix, email, context | ours)
        except (OSError, smtplib.SMTPException):
            log.warning("account_mail_not_sent", template=template_prefix)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The Host header of whoever asks must not decide where the link leads."""
        address = {"uidb36": "UID", "key": "KEY"}
        path = reverse("account_reset_password_from_key", kwargs=address)
        return f"{settings.SITE_URL}{path.replace('UID-KEY', quote(key))}"

    def get_client_ip(self, request: HttpRequest) -> str:
        """For its limits; by the same rule as ours."""
        return client_address(request)


def display_name(user: User) -> str:
    return user.get_full_name() or user.email
