"""What we change in django-allauth beyond its settings."""

import time
from datetime import UTC, datetime
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.codes import give_code
from accounts.known_browsers import is_known_to_anybody, remember_browser
from accounts.known_networks import remember_network
from accounts.limits import count_password, may_mail
from accounts.mails import CODES, PREFIX, RESET, note_mail
from accounts.models import AccountCode, User
from accounts.users import owner_of
from docbook.http.addresses import client_address
from docbook.http.throttling import give_back

# Mails that anybody can request for any address. Notices of past events are always sent.
_ASKED_FOR = (*CODES, RESET, "unknown_account", "account_already_exists")
_SIGN_IN_PAGES = ("account_request_login_code", "account_confirm_login_code")
_SENT_AGAIN = (
    "account/messages/login_code_sent.txt",
    "account/messages/email_confirmation_sent.txt",
)
# How many seconds a sign-in by code proves who the owner is.
SIGNED_IN_LATELY = 300
# The pages that set up the first second factor, in order.
_FIRST_SET_UP = ("mfa_activate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Uses DocBook's wording and sends mails through the outbox."""

    request: Any

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("Wrong e-mail address or password."),
        "email_taken": _("There is already an account with this address."),
        "incorrect_code": _("That is not the code we sent."),
        "incorrect_password": _("That is not your password."),
        "enter_current_password": _("That is not your current password."),
        "too_many_login_attempts": _("Too many tries. Ask for a new code."),
        "no_guesses_left": _(
            "Too many wrong codes were entered for this account today. Sign in with your password,"
            " or choose a new one with a link that we send you."
        ),
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Stores the mail for a worker: a dead SMTP server must delay nobody.

        Mails are counted here by recipient mailbox, whichever form caused them. Raises RateLimited.
        """
        template = template_prefix.removeprefix(PREFIX)
        user = context.get("user")
        if user is None and template != "unknown_account":
            user = owner_of(email)
        is_sent = template not in _ASKED_FOR or self._may_mail(email, user=user)
        with transaction.atomic():
            mail = note_mail(template, email=email, user=user, context=context) if is_sent else None
            if purpose := self._purpose_of(template):
                give_code(
                    self.request,
                    purpose=purpose,
                    email=email,
                    user=user if template in CODES else None,
                    mail_id=mail.pk if mail else None,
                    again=self._is_asked_again(),
                    now=timezone.now(),
                )

    def _purpose_of(self, template: str) -> AccountCode.Purpose | None:
        """What the next page asks a code for. It asks people without an account as well."""
        match = self.request.resolver_match
        if template in CODES or template == "account_already_exists":
            is_sign_in = template == "login_code"
        elif template == "unknown_account" and match and match.url_name in _SIGN_IN_PAGES:
            is_sign_in = True
        else:
            return None
        return AccountCode.Purpose.SIGN_IN if is_sign_in else AccountCode.Purpose.ADDRESS

    def _may_mail(self, email: str, *, user: User | None) -> bool:
        self.request.mail_is_counted = True
        # Decided by page, so it is the same for an address without an account.
        match = self.request.resolver_match
        is_reset = match is not None and match.url_name == "account_reset_password"
        may = may_mail(self.request, email=email, user=user, is_reset=is_reset)
        self.request.mail_is_held_back = not may
        if not may:
            held_back = "account/messages/mail_held_back.txt"
            super().add_message(self.request, messages.WARNING, held_back, {"email": email})
        return may

    def _is_asked_again(self) -> bool:
        return bool(self.request.POST.get("action") == "resend")

    def add_message(
        self,
        request: Any,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Never says that a mail is on its way when it is not.

        A new code for an address without an account is not mailed. It is counted all the same:
        otherwise the answer would reveal which addresses are known.
        """
        if message_template in _SENT_AGAIN and message_context and self._is_asked_again():
            email = message_context["email"]
            if not hasattr(request, "mail_is_counted"):
                self._may_mail(email, user=owner_of(email))
            if request.mail_is_held_back:
                return
        super().add_message(request, level, message_template, message_context, *args, **kwargs)

    def generate_login_code(self) -> str:
        """Puts no code into the session: our codes are derived, and checked in `accounts.codes`."""
        return ""

    def generate_email_verification_code(self) -> str:
        return ""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Raises RateLimited after too many wrong passwords."""
        email = credentials.get("email", "")
        # Only a known browser is counted separately, and a stranger needs no second look-up.
        user = owner_of(email) if is_known_to_anybody(request) else None
        tries = count_password(request, email=email, user=user)
        found: User | None = super().authenticate(request, **credentials)
        if found is not None:
            give_back(*tries)
        return found

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **details)
        remember_browser(request, response, user=user)
        remember_network(request, user=user)
        return response

    def get_client_ip(self, request: HttpRequest) -> str:
        """Allauth's limits find the client's address by our rule."""
        return client_address(request)

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Allauth does not ask accounts without a password: they sign in again with a code. A
        recent sign-in with the password is enough to set up the first second factor.
        """
        required: bool = super().is_reauthentication_required(app=app, **more)
        user = self.request.user
        if self._sets_up_a_second_factor() and self._has_typed_the_password_lately():
            return False
        if required and user.is_authenticated and not get_reauthentication_flows(user):
            records = get_authentication_records(self.request, user)
            if not records or time.time() - records[-1]["at"] > SIGNED_IN_LATELY:
                raise ImmediateHttpResponse(redirect("account_sign_in_again"))
        return required

    def _sets_up_a_second_factor(self) -> bool:
        match = self.request.resolver_match
        return bool(match and match.view_name in _FIRST_SET_UP)

    def _has_typed_the_password_lately(self) -> bool:
        """True after a sign-in that asked for no second factor because there was none yet."""
        user = self.request.user
        records = get_authentication_records(self.request, user) if user.is_authenticated else []
        times = [each["at"] for each in records if each.get("method") == "password"]
        if not times or time.time() - times[-1] > SIGNED_IN_LATELY:
            return False
        signed_in_at = datetime.fromtimestamp(times[-1], UTC)
        return not Authenticator.objects.filter(user=user, created_at__lt=signed_in_at).exists()


def display_name(user: User) -> str:
    return user.get_full_name() or user.address
