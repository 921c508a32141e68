"""Every error of the API as RFC 9457 problem+json, with a code that never changes."""

from typing import Any

import structlog
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.http import JsonResponse
from drf_standardized_errors.formatter import flatten_errors
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from docbook.errors import DomainError, FieldError
from docbook.http import strangers
from docbook.http.rate_headers import headers_of
from docbook.observability import refusal, request_id

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"

# Clients that make more mistakes hear of the first ones. Long input is cut in the answer.
MOST_ERRORS = 20
LONGEST_POINTER = 100
LONGEST_DETAIL = 200

# The one table from code to status. A code that is not here is a programming error.
STATUS_BY_CODE = {
    "validation": 422,
    "malformed": 400,
    "unauthenticated": 401,
    "token-invalid": 401,
    "second-factor-required": 401,
    "second-factor-wrong": 401,
    "forbidden": 403,
    "https-required": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "not-acceptable": 406,
    "unsupported-media-type": 415,
    "request-timeout": 408,
    "too-large": 413,
    "headers-too-large": 431,
    "rate-limited": 429,
    "error": 500,
    "unavailable": 503,
    "idempotency-key-missing": 400,
    "idempotency-key-reused": 422,
    "idempotency-key-in-progress": 409,
    "slot-taken": 409,
    "slot-held": 409,
    "hold-limit": 409,
    "waitlist-limit": 409,
    "appointment-limit": 409,
    "patient-busy": 409,
    "hold-expired": 410,
    "already-confirmed": 409,
    "otp-invalid": 422,
    "otp-locked": 429,
    "details-missing": 409,
    "outside-booking-window": 422,
    "not-changeable": 409,
    "change-window-passed": 422,
    "version-mismatch": 412,
    "precondition-required": 428,
    "booking-disabled": 503,
}

TITLES = {
    "validation": "Some fields cannot be accepted.",
    "malformed": "The request cannot be read.",
    "unauthenticated": "Sign in first.",
    "token-invalid": "This token does not work.",
    "second-factor-required": "Send the code of your second factor too.",
    "second-factor-wrong": "That code is not right, or it was used before.",
    "forbidden": "You may not do this.",
    "https-required": "Use https: what was sent could be read on its way.",
    "not-found": "There is nothing here.",
    "method-not-allowed": "This cannot be done here.",
    "not-acceptable": "We cannot answer in that format.",
    "unsupported-media-type": "We cannot read that format.",
    "request-timeout": "The request did not arrive in time.",
    "too-large": "The request is too large.",
    "headers-too-large": "The address or a header of the request is too long.",
    "rate-limited": "That was a lot of requests.",
    "error": "That did not work, and it is our fault.",
    "unavailable": "A part that we need does not answer right now.",
    "idempotency-key-missing": "Send an Idempotency-Key of 1 to 255 visible ASCII characters.",
    "idempotency-key-reused": "This Idempotency-Key was used for another request.",
    "idempotency-key-in-progress": "A request with this Idempotency-Key is still running.",
    "slot-taken": "This time was just taken by somebody else.",
    "slot-held": "Somebody is confirming this time.",
    "hold-limit": "You are already keeping as many times as you can.",
    "waitlist-limit": "You are already waiting for as many times as you can.",
    "appointment-limit": "You have as many visits ahead as can be booked.",
    "patient-busy": "You already have a visit at that time.",
    "hold-expired": "This time is no longer held for you.",
    "already-confirmed": "This is booked. Cancel it instead.",
    "otp-invalid": "That is not the code we sent.",
    "otp-locked": "All tries are used up, so the time was given back.",
    "details-missing": "Ask for a code first.",
    "outside-booking-window": "This time cannot be booked now.",
    "not-changeable": "This visit can no longer be changed like that.",
    "change-window-passed": "It is too late to change this visit online. Call the clinic.",
    "version-mismatch": "This was changed a moment ago. Look at how it stands now.",
    "precondition-required": "Send If-Match with the ETag of what you have seen.",
    "booking-disabled": "Booking is paused. Appointments are safe.",
}

_CODE_BY_STATUS = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "unsupported-media-type",
    422: "validation",
    429: "rate-limited",
    503: "unavailable",
}


class ProblemHandler(ExceptionHandler):
    """Turns the errors gathered by drf-standardized-errors into a problem."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, OperationalError):
            log.warning("database_unavailable")
            return _Unavailable()
        if isinstance(exc, SuspiciousOperation):  # for example too many parameters
            return exceptions.ParseError("The request has too many parts, or odd ones.")
        return super().convert_known_exceptions(exc)

    def format_exception(self, exc: exceptions.APIException) -> dict[str, Any]:
        if isinstance(exc, exceptions.ValidationError):
            errors = [
                _field_problem(_pointer(each.attr), each.code, str(each.detail))
                for each in flatten_errors(exc.detail)[:MOST_ERRORS]
            ]
            return body("validation", errors=errors)
        code = _CODE_BY_STATUS.get(exc.status_code, "error")
        return body(code, detail=str(exc.detail) if code == "malformed" else "")

    def get_response(self, exc: exceptions.APIException, data: dict[str, Any]) -> Response:
        return Response(
            data,
            status=data["status"],
            headers=self.get_headers(exc),
            content_type=CONTENT_TYPE,
        )


class _Unavailable(exceptions.APIException):
    status_code = 503
    wait = 2


def exception_handler(exc: Exception, context: Any) -> Response | None:
    """DRF's hook: our refusals come from the table, the library handles everything else."""
    if isinstance(exc, DomainError):
        set_rollback()
        strangers.note(context["request"], exc)
        return problem_of(exc)
    response: Response | None = ProblemHandler(exc, context).run()
    return response


def problem_of(error: DomainError) -> Response:
    """A refusal as the response of a DRF view."""
    refusal.note(error.code)
    headers = headers_of(error)
    if STATUS_BY_CODE[error.code] == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    extra: dict[str, Any] = dict(error.extra)
    if isinstance(error, FieldError):
        problem = _field_problem(f"/{error.field}", error.field_code, error.message)
        extra["errors"] = [problem]
    return Response(
        body(error.code, detail=_detail(error), **extra),
        status=STATUS_BY_CODE[error.code],
        headers=headers,
        content_type=CONTENT_TYPE,
    )


def body(code: str, *, detail: str = "", **extra: Any) -> dict[str, Any]:
    """The members of a problem; `instance` is the request's id, as in the logs."""
    return {
        "type": f"urn:docbook:problem:{code}",
        "title": TITLES[code],
        "status": STATUS_BY_CODE[code],
        "detail": detail or TITLES[code],
        "instance": request_id.current(),
        "code": code,
        **extra,
    }


def problem_response(code: str, *, headers: dict[str, str] | None = None) -> JsonResponse:
    """For errors outside DRF: unknown addresses, oversized bodies, broken processes."""
    return JsonResponse(
        body(code), status=STATUS_BY_CODE[code], content_type=CONTENT_TYPE, headers=headers
    )


def _detail(error: DomainError) -> str:
    return "" if error.message == error.code else shortened(error.message, LONGEST_DETAIL)


def _field_problem(pointer: str, code: str, detail: str) -> dict[str, str]:
    return {
        "pointer": shortened(pointer, LONGEST_POINTER),
        "code": code,
        "detail": shortened(detail, LONGEST_DETAIL),
    }


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _pointer(attribute: str | None) -> str:
    """The field as a JSON pointer (RFC 6901); empty for the whole body."""
    if not attribute or attribute == "non_field_errors":
        return ""
    return "/" + attribute.replace("~", "~0").replace("/", "~1").replace(".", "/")
