"""The headers of an answer to a request that came too soon.

RateLimit and RateLimit-Policy follow the IETF's draft (draft-ietf-httpapi-ratelimit-headers).
"""

from collections.abc import Mapping

from django.http import HttpResponse

from docbook.errors import DomainError, RateLimited

_NAMES = ("Retry-After", "RateLimit-Policy", "RateLimit")


def headers_of(error: DomainError | None) -> dict[str, str]:
    """When to try again, and which limit is used up if it is in our table."""
    wait = getattr(error, "retry_after", None)
    headers = {} if wait is None else {"Retry-After": str(wait)}
    if isinstance(error, RateLimited) and error.limit:
        headers["RateLimit-Policy"] = f'"{error.limit}";q={error.most};w={error.seconds}'
        headers["RateLimit"] = f'"{error.limit}";r=0;t={error.retry_after}'
    return headers


def wait_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers, taken from an answer that has them already."""
    return {name: headers[name] for name in _NAMES if name in headers}


def add_headers(response: HttpResponse, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        response.headers[name] = value
