"""Limits on requests, counted atomically in Redis; without Redis everything passes."""

from django.http import HttpRequest
from django_ratelimit.core import get_usage

from docbook.errors import RateLimited
from docbook.http.addresses import client_address

# Codes that are sent to one e-mail address, through both doors together.
CODES_GROUP = "codes-to"
CODES_TO_AN_ADDRESS = "20/h"


def limit_by_address(request: HttpRequest, *, group: str, rate: str) -> None:
    """Counts this request for its address. `rate` like "10/m". Raises RateLimited."""
    _limit(request, group=group, rate=rate, key=client_address(request))


def limit_by_value(request: HttpRequest, *, group: str, rate: str, value: str) -> None:
    """Counts this request for something it names, like an e-mail address. Raises RateLimited."""
    _limit(request, group=group, rate=rate, key=value)


def _limit(request: HttpRequest, *, group: str, rate: str, key: str) -> None:
    usage = get_usage(
        request, group=group, key=lambda _group, _request: key, rate=rate, increment=True
    )
    if usage and usage["should_limit"]:
        raise RateLimited(retry_after=max(1, usage["time_left"]))
