"""What we change in allauth's second factor beyond its settings."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import kept_secrets
from accounts.roles import works_here


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("That code is not right, or it was used before."),
        "cannot_delete_authenticator": _("Your account needs a second step to sign in."),
        "unverified_email": _("Please confirm your e-mail address first."),
    }

    def encrypt(self, text: str) -> str:
        return kept_secrets.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return kept_secrets.decrypt(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """Leaves out the XML declaration, as the SVG is part of a page."""
        svg: str = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not (settings.REQUIRE_SECOND_FACTOR and works_here(authenticator.user))
