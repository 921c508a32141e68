"""Limits on the account pages, which django-allauth provides."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.known_browsers import remember_browser
from accounts.limits import TooManyPasswords
from docbook.errors import RateLimited
from docbook.http.pages import WayOn, refusal_page
from docbook.http.throttling import enforce, limit_of


class AccountLimitsMiddleware:
    """Counts posts to sign-in, sign-up, codes and password reset per client address. Tries against
    an account, and mails to a mailbox, are counted in `accounts.limits` and `accounts.codes`. There
    the account or mailbox is certain, while a form may name one address and send another.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        match = request.resolver_match
        if request.method != "POST" or not match or not match.route.startswith("accounts/"):
            return None
        try:
            enforce(limit_of("accounts", request))
        except RateLimited as error:
            return refusal_page(request, error)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Names other ways to sign in, unless the user is signed in already."""
        if isinstance(exception, TooManyPasswords) and not request.user.is_authenticated:
            return refusal_page(request, exception, other_ways=_other_ways_in())
        return None


class AccountSessionsMiddleware:
    """Gives a session a new key when its owner has proved again who they are.

    At sign-out it tells the browser to forget what it stores of this site. Cookies stay, because
    one of them makes the browser known. That cookie is written anew when the owner ends all other
    sessions, since it contains the count of such ends.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if user := getattr(request, "stays_known", None):
            remember_browser(request, response, user=user)
        if request.method != "POST" or not request.resolver_match:
            return response
        match request.resolver_match.view_name, response.status_code:
            case "account_reauthenticate" | "mfa_reauthenticate", 302:
                # Strangers are redirected to sign-in and have no session to rename.
                if request.user.is_authenticated:
                    request.session.cycle_key()
            case ("account_logout", 302) | ("admin:logout", 200):
                response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


def _other_ways_in() -> list[WayOn]:
    return [
        WayOn(_("Sign in with a code by e-mail"), reverse("account_request_login_code")),
        WayOn(_("Choose a new password with a link"), reverse("account_reset_password")),
    ]
