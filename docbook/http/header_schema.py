"""The response headers in the OpenAPI description."""

from collections.abc import Iterable, Iterator
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

Json = dict[str, Any]

# Headers of single operations, for `extend_schema(parameters=[…])`.
LOCATION = OpenApiParameter(
    "Location",
    OpenApiTypes.URI,
    OpenApiParameter.HEADER,
    response=[201],
    required=True,
    description="Where the booking will be, once it is confirmed.",
)
ETAG = OpenApiParameter(
    "ETag",
    {"type": "string", "pattern": '^(W/)?"[!#-~]+"$'},
    OpenApiParameter.HEADER,
    response=[200, 304],
    required=True,
    description="The version of what is answered, to be sent as If-Match or If-None-Match.",
)
CACHE_CONTROL = OpenApiParameter(
    "Cache-Control",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200, 304],
    required=True,
    description="How long anybody may keep the answer.",
)

_SHARED: Json = {
    "X-Request-ID": {
        "description": "The request's id, as our logs have it; a problem's `instance`.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9-]{8,64}$"},
        "required": True,
    },
    "WWW-Authenticate": {
        "description": "How to sign in: by a bearer token.",
        "schema": {"type": "string", "const": 'Bearer realm="api"'},
        "required": True,
    },
    "Retry-After": {
        "description": "Seconds after which it is worth another try.",
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
    },
    "RateLimit-Policy": {
        "description": "The limit that is used up, as the IETF's draft has it: `q` requests in `w`"
        " seconds.",
        "schema": {"type": "string", "pattern": '^"[a-z-]+";q=[0-9]+;w=[0-9]+$'},
    },
    "RateLimit": {
        "description": "What is left of it: none, for `t` seconds.",
        "schema": {"type": "string", "pattern": '^"[a-z-]+";r=0;t=[0-9]+$'},
    },
    "Idempotent-Replayed": {
        "description": "Sent when this is the first answer to this Idempotency-Key again.",
        "schema": {"type": "string", "const": "true"},
    },
}
# Other refusals do not depend on what was asked for, and are not kept.
_REPLAYED = {"200", "201", "202", "404", "409", "410", "422", "429"}


def add_headers(result: Json, **_context: object) -> Json:
    """drf-spectacular's hook: adds the headers that every answer of a kind has, whatever
    was asked.
    """
    result["components"]["headers"] = _SHARED
    for response in result["components"]["responses"].values():
        _add(response, ["X-Request-ID"])
    for operations in result["paths"].values():
        for operation in operations.values():
            takes_key = "Idempotency-Key" in [
                parameter["name"] for parameter in operation.get("parameters", ())
            ]
            for status, response in operation["responses"].items():
                if "$ref" not in response:
                    _add(response, _names(status, takes_key=takes_key))
    return result


def _add(response: Json, names: Iterable[str]) -> None:
    refs = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    response["headers"] = response.get("headers", {}) | refs


def _names(status: str, *, takes_key: bool) -> Iterator[str]:
    yield "X-Request-ID"
    if status == "401":
        yield "WWW-Authenticate"
    if status in ("429", "503"):
        yield "Retry-After"
    if status == "429":
        yield from ("RateLimit-Policy", "RateLimit")
    if takes_key and status in _REPLAYED:
        yield "Idempotent-Replayed"
