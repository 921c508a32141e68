"""Limits on requests, counted atomically in Redis; without Redis everything passes."""

from django.http import HttpRequest
from django_ratelimit.core import get_usage

from docbook.errors import RateLimited
from docbook.http.addresses import client_address

CODES_TO_AN_ADDRESS = "20/h"


def limit_by_address(request: HttpRequest, *, group: str, rate: str) -> None:
    """Counts this request for its address. `rate` like "10/m". Raises RateLimited."""
    _limit(request, group=group, rate=rate, key=client_address(request))


def limit_by_value(request: HttpRequest, *, group: str, rate: str, value: str) -> None:
    """Counts this request for something it names, like an e-mail address. Raises RateLimited."""
    _limit(request, group=group, rate=rate, key=value)


def limit_codes_to(request: HttpRequest, *, email: str) -> None:
    """Counts a code for an e-mail address, through both doors together: nobody's mailbox is filled
    by us. Raises RateLimited.
    """
    limit_by_value(request, group="codes-to", rate=CODES_TO_AN_ADDRESS, value=email.lower())


def _limit(request: HttpRequest, *, group: str, rate: str, key: str) -> None:
    usage = get_usage(
        request, group=group, key=lambda _group, _request: key, rate=rate, increment=True
    )
    if usage and usage["should_limit"]:
        raise RateLimited(retry_after=max(1, usage["time_left"]))
