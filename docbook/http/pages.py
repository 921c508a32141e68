"""Refusals and failures as pages. Forms show their own errors at the fields."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import requires_csrf_token

from docbook.errors import DomainError, NotFound, RateLimited
from docbook.http.problems import STATUS_BY_CODE, problem_response
from docbook.http.rate_headers import add_headers, headers_of
from docbook.observability import refusal, request_id

# Statuses that the API never sends. Its refusals have theirs in docbook.http.problems.
_OF_PAGES_ALONE = {"length-required": 411}
SECONDS_ARE_READ_BELOW = 120
_TEMPLATES = {403: "403.html", 404: "404.html", 429: "429.html", 503: "503.html"}


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def error_page(request: HttpRequest, *, status: int, **context: object) -> HttpResponse:
    """One sentence, one link to go on, and the reference that the logs have too."""
    template = _TEMPLATES.get(status, "400.html" if status < 500 else "500.html")
    context["request_id"] = request_id.to_read_out()
    # A context processor may need what broke the page, so failures render without a request.
    content = render_to_string(template, context, request if status < 500 else None)
    return HttpResponse(content, status=status)


@dataclass(frozen=True)
class WayOn:
    text: str
    url: str


def refusal_page(
    request: HttpRequest, error: DomainError, *, other_ways: Sequence[WayOn] = ()
) -> HttpResponse:
    """A refusal that no view handles in a better way."""
    refusal.note(error.code)
    if isinstance(error, NotFound):
        return error_page(request, status=404)
    if isinstance(error, RateLimited):
        response = error_page(
            request,
            status=429,
            retry_after=error.retry_after,
            retry_minutes=_in_minutes(error.retry_after),
            back=_came_from(request),
            other_ways=other_ways,
        )
        add_headers(response, headers_of(error))
        return response
    return error_page(request, status=STATUS_BY_CODE.get(error.code, 400))


def _in_minutes(seconds: int | None) -> int | None:
    """None if seconds are easier to read."""
    return round(seconds / 60) if seconds and seconds >= SECONDS_ARE_READ_BELOW else None


def _came_from(request: HttpRequest) -> str:
    """The page to load again: this one, or the one whose form was sent. Empty if it is not
    known.
    """
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if ours else ""


def unavailable(request: HttpRequest) -> HttpResponse:
    response = (
        problem_response("unavailable")
        if is_api(request)
        else error_page(request, status=503, back=_came_from(request))
    )
    response.headers["Retry-After"] = "2"
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return problem_response("malformed") if is_api(request) else error_page(request, status=400)


def turned_away(request: HttpRequest, code: str) -> HttpResponse:
    """Refuses a request that no client of ours sends, before any of it is read."""
    if is_api(request):
        return problem_response(code)
    return error_page(request, status=_OF_PAGES_ALONE.get(code) or STATUS_BY_CODE[code])


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return problem_response("not-found") if is_api(request) else error_page(request, status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return problem_response("forbidden") if is_api(request) else error_page(request, status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_response("error") if is_api(request) else error_page(request, status=500)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    context = {"request_id": request_id.to_read_out()}
    return render(request, "403_csrf.html", context, status=403)
