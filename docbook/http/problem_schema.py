"""Problems in the OpenAPI description: each code is a type with its own members."""

import json
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiResponse

from docbook.http.problems import CONTENT_TYPE, STATUS_BY_CODE, TITLES

Json = dict[str, Any]

# The problems of any request. The first of them are frequent enough for a line of their own.
_UNAVAILABLE = "unavailable"
_ELSE = (
    "malformed",
    "https-required",
    "method-not-allowed",
    "not-acceptable",
    "version-mismatch",
    "request-timeout",
    "too-large",
    "headers-too-large",
    "error",
)

# For every operation that reads a body, and for every one that takes an Idempotency-Key.
BODY = ("malformed", "unsupported-media-type", "validation")
KEY = ("idempotency-key-missing", "idempotency-key-in-progress", "idempotency-key-reused")

_TIMES = {
    "type": "array",
    "items": {"$ref": "#/components/schemas/TimeOut"},
    "description": "The next free times of the same doctor.",
}
_LIMIT = {"type": "integer", "description": "How many there may be."}

# The extra members of a problem.
MEMBERS: dict[str, Json] = {
    "validation": {
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldProblem"}}
    },
    "slot-taken": {"alternatives": _TIMES},
    "slot-held": {
        "alternatives": _TIMES,
        "attemptId": {
            "type": "string",
            "format": "uuid",
            "description": "Your own attempt, where you asked for just the same before.",
        },
    },
    "hold-limit": {
        "limit": _LIMIT,
        "retryAt": {
            "type": "string",
            "format": "date-time",
            "description": "When one of the times ends, where the limit is that of a network.",
        },
    },
    "waitlist-limit": {"limit": _LIMIT},
    "appointment-limit": {"limit": _LIMIT},
    "otp-invalid": {
        "attemptsLeft": {"type": "integer", "description": "How many more codes can be tried."}
    },
    "not-changeable": {"bookingStatus": {"$ref": "#/components/schemas/AppointmentStatus"}},
    "change-window-passed": {
        "noticeMinutes": {
            "type": "integer",
            "description": "How long before a visit its patient can change it.",
        },
        "clinicPhone": {"type": "string", "description": "Who still can."},
    },
}
_OPTIONAL = {"retryAt", "attemptId"}


def problems(*codes: str) -> dict[tuple[int, str], Any]:
    """The responses of an operation that refuses with these codes, by status."""
    by_status: dict[int, list[str]] = {}
    for code in (*codes, _UNAVAILABLE):
        by_status.setdefault(STATUS_BY_CODE[code], []).append(code)
    return {
        (status, CONTENT_TYPE): OpenApiResponse(
            _one_of(by_status[status]), description=_words(by_status[status])
        )
        for status in sorted(by_status)
    }


def add_problems(result: Json, **_context: object) -> Json:
    """drf-spectacular's hook: adds the types that responses name, and the default answer of all
    operations.
    """
    result["components"]["responses"] = {"AnyTime": _ANY_TIME}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = {"$ref": "#/components/responses/AnyTime"}
    named = json.dumps(result)
    schemas = {code: _schema(code) for code in STATUS_BY_CODE if f'{_ref(code)}"' in named}
    components = result["components"]
    components["schemas"] |= {_name(code): schema for code, schema in schemas.items()}
    components["schemas"] |= {"Problem": _PROBLEM, "FieldProblem": _FIELD}
    components["schemas"] = dict(sorted(components["schemas"].items()))
    return result


def _one_of(codes: Sequence[str]) -> Json:
    types = {code: _ref(code) for code in codes}
    if len(codes) == 1:
        return {"$ref": types[codes[0]]}
    return {
        "oneOf": [{"$ref": each} for each in types.values()],
        "discriminator": {"propertyName": "code", "mapping": types},
    }


def _words(codes: Sequence[str]) -> str:
    return "\n".join(f"- `{code}`: {TITLES[code]}" for code in codes)


def _ref(code: str) -> str:
    return f"#/components/schemas/{_name(code)}"


def _name(code: str) -> str:
    return "".join(part.capitalize() for part in code.split("-")) + "Problem"


def _schema(code: str) -> Json:
    """The code as an enum with one value: client generators cannot merge `const`."""
    members = MEMBERS.get(code, {})
    return {
        "description": TITLES[code],
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {
                "type": "object",
                "properties": {"code": {"type": "string", "enum": [code]}, **members},
                "required": ["code", *(name for name in members if name not in _OPTIONAL)],
            },
        ],
    }


_MEMBERS_OF_ALL: Json = {
    "type": {"type": "string", "description": "urn:docbook:problem:<code>"},
    "title": {"type": "string", "description": "What the code means; always the same."},
    "status": {"type": "integer", "description": "That of the response."},
    "detail": {"type": "string", "description": "What it means here."},
    "instance": {"type": "string", "description": "The request's id, as in X-Request-ID."},
    "code": {"type": "string", "description": "Never changes; to be programmed against."},
}
_PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457.",
    "properties": _MEMBERS_OF_ALL,
    "required": list(_MEMBERS_OF_ALL),
}
_FIELD: Json = {
    "type": "object",
    "description": "One thing of a request that cannot be accepted.",
    "properties": {
        "pointer": {
            "type": "string",
            "description": "Where it stands in the body (RFC 6901), or the name of a query "
            "parameter after a slash; empty for the whole body.",
        },
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["pointer", "code", "detail"],
}

_ANY_TIME: Json = {
    "description": _words(_ELSE),
    "content": {CONTENT_TYPE: {"schema": _one_of(_ELSE)}},
}
