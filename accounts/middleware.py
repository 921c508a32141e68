"""Limits on the pages of accounts, which are django-allauth's."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from docbook.errors import RateLimited
from docbook.http.pages import refusal_page
from docbook.http.throttling import limit_by_address, limit_by_value

BY_ADDRESS = "30/m"
BY_ACCOUNT = "10/5m"
# Each code can be guessed three times: so few a day that patience does not find one of a million.
LOGIN_CODES = "20/d"


class AccountLimitsMiddleware:
    """Counts what is posted to sign-in, sign-up, codes and password reset: for the address it
    comes from, and for the account it names.
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
            _count(request)
        except RateLimited as error:
            return refusal_page(request, error)
        return None


def _count(request: HttpRequest) -> None:
    limit_by_address(request, group="accounts", rate=BY_ADDRESS)
    named = request.POST.get("login") or request.POST.get("email")
    if named:
        value = named.strip().lower()[:254]
        limit_by_value(group="accounts-named", rate=BY_ACCOUNT, value=value)
        if (
            request.resolver_match
            and request.resolver_match.url_name == "account_request_login_code"
        ):
            limit_by_value(group="login-codes", rate=LOGIN_CODES, value=value)
