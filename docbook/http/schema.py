"""Pieces of the OpenAPI description that every endpoint shares."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from docbook.http.pagination import DEFAULT_LIMIT, MOST

LIST_PARAMETERS = [
    OpenApiParameter("page", OpenApiTypes.INT, description="From 1 on."),
    OpenApiParameter("offset", OpenApiTypes.INT, description="Instead of page: rows to pass."),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="Instead of page: nextCursor."),
    OpenApiParameter("limit", OpenApiTypes.INT, description=f"{DEFAULT_LIMIT}; at most {MOST}."),
]

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
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
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        "With one, 1 to 255 visible ASCII characters, a retry gets the first answer again, whatever"
        " has happened since; but for refusals that time cures."
    ),
)
