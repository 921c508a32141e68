"""Rules for every request, at both doors."""

from collections.abc import Callable
from functools import cached_property

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils.cache import patch_vary_headers

from docbook.errors import DomainError
from docbook.http import pages, strangers
from docbook.http.limits import LATE, LONGEST_LINE, MOST_OF_HEADERS, most_of_body

GetResponse = Callable[[HttpRequest], HttpResponse]


# The content types that Django reads as a form.
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
# The page that shows the description of the API to people.
DOCS = "/api/v1/docs/"
# Calendars read here, with a token in the address.
FEEDS = "/calendar/"
CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1"})


class RequestGuardMiddleware:
    """Refuses requests that no client of ours sends, before their bodies are read."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "TRACE":
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        code = "https-required" if _is_in_the_clear(request) else fault_of(request)
        return pages.turned_away(request, code) if code else self.get_response(request)


class OwnResourcesMiddleware:
    """No other site may embed our answers, static files included."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class KeptPolicyMiddleware(CSPMiddleware):
    """django-csp puts its header together anew for each answer. It is always the same, except for a
    view with a policy or a nonce of its own.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        has_own = any(name.startswith("_csp") for name in (*vars(request), *vars(response)))
        if has_own or HEADER in response.headers or settings.DEBUG or self._has_exceptions:
            return super().process_response(request, response)
        response.headers[HEADER] = self._policy
        return response

    @cached_property
    def _has_exceptions(self) -> bool:
        """Settings for a second policy that only reports, or for addresses without one."""
        only_reports = getattr(settings, "CONTENT_SECURITY_POLICY_REPORT_ONLY", None)
        return bool(only_reports or settings.CONTENT_SECURITY_POLICY.get("EXCLUDE_URL_PREFIXES"))

    @cached_property
    def _policy(self) -> str:
        return build_policy()


class ApiMiddleware:
    """The API has no sessions, forms or messages: its requests go to their view from here."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not pages.is_api(request) or request.path.startswith(DOCS):
            return self.get_response(request)
        return self.answer(request)

    def answer(self, request: HttpRequest) -> HttpResponse:
        request.resolver_match = match = resolve(request.path_info)
        answer = match.func(request, *match.args, **match.kwargs)
        response: HttpResponse = answer.render() if hasattr(answer, "render") else answer
        request._cached_user = getattr(request, "user", None)  # type: ignore[attr-defined] # for the log
        return response


class PageErrorMiddleware:
    """Turns refusals, and a database that does not answer, into pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DomainError):
            strangers.note(request, exception)
            return pages.refusal_page(request, exception)
        if isinstance(exception, OperationalError):
            return pages.unavailable(request)
        return None


class PrivatePagesMiddleware:
    """No cache keeps personal answers, and a fragment is never mistaken for its page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response


def _is_in_the_clear(request: HttpRequest) -> bool:
    """Pages redirect to https. Programs would keep sending their token in the clear."""
    return settings.SECURE_SSL_REDIRECT and _is_for_programs(request) and not request.is_secure()


def _is_for_programs(request: HttpRequest) -> bool:
    return pages.is_api(request) or request.path.startswith(FEEDS)


def _charset(request: HttpRequest) -> str:
    return (request.content_params or {}).get("charset", "utf-8").strip("\"' ").lower()


def fault_of(request: HttpRequest) -> str:
    """The code of the refusal; empty for a request that may pass."""
    query = request.META.get("QUERY_STRING", "")
    lengths = [len(value) for name, value in request.META.items() if name.startswith("HTTP_")]
    if max(lengths, default=0) > LONGEST_LINE or sum(lengths) > MOST_OF_HEADERS:
        return "headers-too-large"
    if len(query) > LONGEST_LINE or len(request.path) > LONGEST_LINE:
        return "headers-too-large"
    # Django decodes addresses and forms by the charset, and Python knows some that decode no text:
    # "hex".
    if "\x00" in request.path or "%00" in query or _charset(request) not in CHARSETS:
        return "malformed"
    return _fault_of_body(request)


def _fault_of_body(request: HttpRequest) -> str:
    if request.META.get(LATE):
        return "request-timeout"
    if _content_length(request) > most_of_body(request.path):
        return "too-large"
    if _may_be_half_a_form(request):
        return "length-required"
    return ""


def _may_be_half_a_form(request: HttpRequest) -> bool:
    """Chunked requests have no length to compare a body with, and half a form can look complete.

    Browsers send the length of a form. The API takes only JSON, and half of that is invalid.
    """
    is_chunked = "HTTP_TRANSFER_ENCODING" in request.META
    return is_chunked and request.content_type in FORMS and not pages.is_api(request)


def _content_length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdigit() else 0
