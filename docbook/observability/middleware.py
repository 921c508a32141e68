"""One log line per request: the route, how it ended, and how long it took."""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from docbook.observability import request_id

log = structlog.get_logger("docbook.request")


class RequestLogMiddleware:
    """Binds the request's id to every line logged during the request, and returns it in a header.

    Logs the route's pattern and never the path or the query: those may hold what people typed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        rid = begin(request)
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        # Only a user that was looked up already: a look-up here could ask a lost database.
        user = getattr(request, "_cached_user", None)
        end(
            method=request.method or "",
            route=match.route if match else "",
            status=response.status_code,
            seconds=time.perf_counter() - started,
            user_id=getattr(user, "pk", None),
        )
        response.headers[request_id.HEADER] = rid
        return response


def begin(request: HttpRequest) -> str:
    """The id of the request, which every line logged from now on has."""
    structlog.contextvars.clear_contextvars()
    rid = request_id.from_header(_header_of_proxy(request))
    structlog.contextvars.bind_contextvars(request_id=rid)
    return rid


def end(*, method: str, route: str, status: int, seconds: float, user_id: int | None) -> None:
    """The request's own line."""
    log.info(
        "request",
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        user_id=user_id,
    )


def _header_of_proxy(request: HttpRequest) -> str | None:
    """Without a proxy, anybody could choose the id under which they appear in logs and audit."""
    return request.META.get("HTTP_X_REQUEST_ID") if settings.TRUSTED_PROXIES > 0 else None
