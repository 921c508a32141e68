"""Limits on the pages of accounts, which are django-allauth's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse

from docbook.errors import RateLimited
from docbook.http.pages import refusal_page
from docbook.http.throttling import by_address, enforce

BY_ADDRESS = "30/m"


class AccountLimitsMiddleware:
    """Counts what is posted to sign-in, sign-up, codes and password reset, for the address it comes
    from. What is tried, and whose mailbox it fills, is counted where that is known for certain: see
    `accounts.limits` and `accounts.codes`. A form may name one address and send another.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        match = request.resolver_match
        if request.method != "POST" or not match or not match.route.startswith("accounts/"):
            return None
        limit = by_address(request, group="accounts", rate=BY_ADDRESS)
        try:
            enforce(replace(limit, counts_without_redis=True))
        except RateLimited as error:
            return refusal_page(request, error)
        return None
