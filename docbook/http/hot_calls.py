"""Calls of the API that come by the thousand in a rush: the same views without what surrounds them.

Middleware and REST framework's requests take longer than booking itself. A hot call goes straight
from the server to the view's `post`, and its answer straight back. A request that is unusual, or
wrong before its body is read, is left to the ordinary way. Errors of the view are answered by REST
framework's handler and Django's: nothing here decides how a refusal looks.
"""

import re
import time
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import resolve
from django_permissions_policy import PermissionsPolicyMiddleware
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from docbook.fibers import aside
from docbook.http import middleware
from docbook.http.parsers import StrictJSONParser
from docbook.observability import middleware as request_log
from docbook.observability import request_id

JSON = "application/json"
# As the libraries of apps write them.
_SENDS_JSON = re.compile(r"application/json(; ?charset=utf-8)?", re.IGNORECASE)
_TAKES_JSON = re.compile(r"(application/json|\*/\*)(; ?q=[01](\.[0-9]+)?)?")
# Each adds the same headers to every answer.
_ADDING_HEADERS: Any = (
    SecurityMiddleware,
    middleware.OwnResourcesMiddleware,
    middleware.KeptPolicyMiddleware,
    PermissionsPolicyMiddleware,
    XFrameOptionsMiddleware,
    middleware.PrivatePagesMiddleware,
)


class HotAnswer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class HotRequest:
    """What the view of a hot call reads of REST framework's request."""

    def __init__(self, request: HttpRequest, view: APIView) -> None:
        self._request = request
        self.method = request.method
        self.META = request.META
        self.parser_context = {"view": view}
        self.user: Any = None
        self.auth: Any = None

    @property
    def headers(self) -> Mapping[str, str]:
        return self._request.headers

    @cached_property
    def data(self) -> Any:
        return StrictJSONParser().parse(self.META["wsgi.input"])


class HotCall:
    """A POST, by an address that names its view."""

    def __init__(self, address: str) -> None:
        match: Any = resolve(address)
        self._route: str = match.route
        self._view_class: type[Any] = match.func.view_class
        view = self._view_class()
        view.setup(HttpRequest())  # the methods that it has
        self._authenticators = view.get_authenticators()
        self._permissions = view.get_permissions()
        self._headers: dict[str, str] = view.default_response_headers
        self._headers_by_security: dict[bool, dict[str, str]] = {}

    def answer(self, environ: dict[str, Any], place: Mapping[str, Any]) -> HotAnswer | None:
        """`place` are the parts of the address that the view takes. None if this request has to go
        the ordinary way; then nothing was done, and nothing of its body was read.
        """
        started = time.perf_counter()
        request = WSGIRequest(environ)
        if not _is_plain(request):
            return None
        rid = request_log.begin(request)
        view = self._view_class()
        view.request = hot = HotRequest(request, view)
        if not self._lets_in(hot, view):
            return None
        try:
            response = view.post(hot, **place)
        except Exception as error:  # noqa: BLE001 - every error becomes an answer
            refused = error
            response = aside(lambda: self._refusal(hot, view, place, refused))
        request_log.end(
            method="POST",
            route=self._route,
            status=response.status_code,
            seconds=time.perf_counter() - started,
            user_id=hot.user.pk,
        )
        headers = {
            **self._headers_of(request),
            **response.headers,
            "Content-Length": str(len(response.content)),
            request_id.HEADER: rid,
        }
        return HotAnswer(response.status_code, list(headers.items()), response.content)

    def _lets_in(self, hot: HotRequest, view: Any) -> bool:
        try:
            for each in self._authenticators:
                if found := each.authenticate(hot):
                    hot.user, hot.auth = found
                    hot._request.user = hot.user
                    break
        except Exception:  # noqa: BLE001 - the ordinary way says what is wrong
            return False
        return all(each.has_permission(hot, view) for each in self._permissions)

    def _headers_of(self, request: HttpRequest) -> dict[str, str]:
        is_secure = request.is_secure()
        if is_secure not in self._headers_by_security:
            self._headers_by_security[is_secure] = _headers_of_every_answer(request) | self._headers
        return self._headers_by_security[is_secure]

    def _refusal(
        self, hot: HotRequest, view: Any, place: Mapping[str, Any], error: Exception
    ) -> HttpResponseBase:
        """As REST framework's dispatch and Django's handler answer it."""
        request = view.initialize_request(hot._request, **place)
        request.user, request.auth = hot.user, hot.auth
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSON
        view.request, view.headers = request, dict(self._headers)
        try:
            response = view.finalize_response(request, view.handle_exception(error), **place)
            answer: HttpResponseBase = response.render()
        except Exception as broken:  # noqa: BLE001 - it is logged and answered with 500
            return response_for_exception(hot._request, broken)
        return answer


def _is_plain(request: HttpRequest) -> bool:
    """Whether middleware and content negotiation would let it pass as it is."""
    meta = request.META
    if (
        not _SENDS_JSON.fullmatch(meta.get("CONTENT_TYPE", ""))
        or not _takes_json(meta.get("HTTP_ACCEPT", "*/*"))
        or meta.get("CONTENT_LENGTH", "0") == "0"
        or meta["QUERY_STRING"]
        or middleware.fault_of(request)
        or (settings.SECURE_SSL_REDIRECT and not request.is_secure())
    ):
        return False
    try:
        request.get_host()
    except SuspiciousOperation:
        return False
    return True


@lru_cache(maxsize=64)
def _takes_json(accept: str) -> bool:
    """Whether it names our format without parameters, which may ask for another look of it."""
    kinds = [each.strip() for each in accept.split(",")]
    plain = [each for each in kinds if _TAKES_JSON.fullmatch(each)]
    return bool(plain) and not any("json" in each for each in set(kinds) - set(plain))


def _headers_of_every_answer(request: HttpRequest) -> dict[str, str]:
    """Those that middleware adds."""
    answer: Any = lambda _request: HttpResponse()  # noqa: E731 - what the middleware is put around
    for each in reversed(_ADDING_HEADERS):
        answer = each(answer)
    headers = dict(answer(request).headers)
    del headers["Content-Type"]
    return headers
