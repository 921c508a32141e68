"""Pieces of the OpenAPI description that every endpoint shares."""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.extensions import (
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.utils import OpenApiParameter
from rest_framework.fields import EmailField

from docbook.http.pagination import CURSOR, DEFAULT_LIMIT, FURTHEST, MOST

Json = dict[str, Any]


def _whole(least: int, most: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most}


_KEY: Json = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}

LIST_PARAMETERS = [
    OpenApiParameter("page", _whole(1, FURTHEST // MOST), description="From 1 on."),
    OpenApiParameter("offset", _whole(0, FURTHEST), description="Instead of page: rows to pass."),
    OpenApiParameter(
        "cursor",
        {"type": "string", "minLength": 1, "pattern": CURSOR},
        description="Instead of page: nextCursor.",
    ),
    OpenApiParameter("limit", _whole(1, MOST), description=f"{DEFAULT_LIMIT}; at most {MOST}."),
]

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    _KEY,
    OpenApiParameter.HEADER,
    required=True,
    description=(
        "Yours for this one intent, 1 to 255 visible ASCII characters; for a day a retry gets"
        " the first answer again. Refusals that time cures, as a time that is held or a limit,"
        " are not kept: the same request may succeed a moment later."
    ),
)

OPTIONAL_KEY = OpenApiParameter(
    "Idempotency-Key",
    _KEY,
    OpenApiParameter.HEADER,
    description=(
        "With one, 1 to 255 visible ASCII characters, a retry gets the first answer again, whatever"
        " has happened since; but for refusals that time cures."
    ),
)


class StrictSerializerExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """What a body may be: the fields of its serializer, and no others.

    Defaults are left out: client generators treat a field with a default as always present. The
    description is the docstring of the class itself, never an inherited one. TOGETHER says which
    fields belong together.
    """

    target_class = "docbook.http.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Json:
        told: Json = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        for field in told["properties"].values():
            if field.get("oneOf", [])[1:] == [{"type": "string", "maxLength": 0}]:
                field.update(field.pop("oneOf")[0])  # its pattern already allows an empty text
            field.pop("default", None)
        if not vars(type(self.target)).get("__doc__"):
            told.pop("description", None)
        together = getattr(self.target, "TOGETHER", {})
        return told | together | {"additionalProperties": False}


# An address that an account can have: plain ASCII, and a host with at least two parts.
_EMAIL = (
    r"^[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+)*"
    r"@([A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9][-A-Za-z0-9]{0,61}[A-Za-z0-9]$"
)


class FilledTextExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A required text needs more than blanks, and blanks at its ends do not count. A field with its
    own pattern keeps it.
    """

    target_class = "rest_framework.fields.CharField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        field = self.target
        told: Json = auto_schema._map_serializer_field(field, direction, bypass_extensions=True)
        if field.allow_null:
            told["type"] = told["type"][0]  # the caller adds null once more
        if direction != "request" or field.allow_blank or not field.trim_whitespace:
            return told
        if isinstance(field, EmailField):
            return told | {"pattern": _EMAIL}
        has_pattern = any(isinstance(each, RegexValidator) for each in field.validators)
        return told if has_pattern else told | {"pattern": r"\S"}
