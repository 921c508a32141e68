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
        structlog.contextvars.clear_contextvars()
        rid = request_id.from_header(_header_of_proxy(request))
        structlog.contextvars.bind_contextvars(request_id=rid)
        started = time.perf_counter()
        response = self.get_response(request)
        self._log(request, response, milliseconds=(time.perf_counter() - started) * 1000)
        response.headers[request_id.HEADER] = rid
        return response

    def _log(self, request: HttpRequest, response: HttpResponse, *, milliseconds: float) -> None:
        match = request.resolver_match
        # Only a user that was looked up already: a look-up here could ask a lost database.
        user = getattr(request, "_cached_user", None)
        log.info(
            "request",
            method=request.method,
            route=match.route if match else "",
            status=response.status_code,
            ms=round(milliseconds, 1),
            user_id=getattr(user, "pk", None),
        )


def _header_of_proxy(request: HttpRequest) -> str | None:
    """Without a proxy, anybody could choose the id under which they appear in logs and audit."""
    return request.headers.get(request_id.HEADER) if settings.TRUSTED_PROXIES > 0 else None
