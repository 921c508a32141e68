"""Pieces of the OpenAPI description that every endpoint shares."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter

from docbook.http.pagination import DEFAULT_LIMIT, FURTHEST, MOST

Json = dict[str, Any]


def _whole(least: int, most: int) -> Json:
    return {"type": "integer", "minimum": least, "maximum": most}


_KEY: Json = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}

LIST_PARAMETERS = [
    OpenApiParameter("page", _whole(1, FURTHEST // MOST), description="From 1 on."),
    OpenApiParameter("offset", _whole(0, FURTHEST), description="Instead of page: rows to pass."),
    OpenApiParameter(
        "cursor", {"type": "string", "minLength": 1}, description="Instead of page: nextCursor."
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

    A default is left out: generators of clients take a field that has one for a field that is
    always there. The words are those of the class itself, and not of the class that it inherits.
    """

    target_class = "docbook.http.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Json:
        told: Json = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        for field in told["properties"].values():
            if field.get("oneOf", [])[1:] == [{"type": "string", "maxLength": 0}]:
                field.update(field.pop("oneOf")[0])  # its pattern allows an empty text already
            field.pop("default", None)
        if not vars(type(self.target)).get("__doc__"):
            told.pop("description", None)
        return told | {"additionalProperties": False}
