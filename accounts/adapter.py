"""What we ask of django-allauth beyond its settings."""

import smtplib
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts.models import User
from docbook.http.addresses import client_address

log = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Mail that cannot be sent now must not turn a sign-in into an error page.

    The pages that follow offer to send again.
    """

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, smtplib.SMTPException):
            log.warning("account_mail_not_sent", template=template_prefix)

    def get_client_ip(self, request: HttpRequest) -> str:
        """For its limits; by the same rule as ours."""
        return client_address(request)


def display_name(user: User) -> str:
    return user.get_full_name() or user.email
