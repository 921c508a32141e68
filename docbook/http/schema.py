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
    description="Yours for this one intent; a retry with it gets the first answer again.",
)

OPTIONAL_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="With one, a retry gets the first answer again, whatever has happened since.",
)
