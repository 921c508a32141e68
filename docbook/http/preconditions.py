"""Changing only what one has seen (RFC 9110, 13): the ETag is the version in quotes."""

import json
import re
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from docbook.errors import DomainError, VersionMismatch

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description='The ETag of what you have seen, like "1".',
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of what you have: the answer is 304 while it is the newest.",
)
_ETAG = re.compile(r'"([0-9]{1,9})"')


class PreconditionRequired(DomainError):
    """No If-Match: two people could undo each other's changes without knowing."""

    code = "precondition-required"


def etag(version: int) -> str:
    return f'"{version}"'


def versioned_response(request: Request, data: Any, *, version: int) -> HttpResponseBase:
    """200 with the ETag, or 304 for a client that has this version already."""
    tag = etag(version)
    response = Response(data, headers={"ETag": tag})
    return get_conditional_response(request._request, etag=tag, response=response) or response


def with_etag_of_body(response: HttpResponse) -> HttpResponse:
    """An answer that came out of a record knows its version by its body only."""
    if response.status_code == 200:
        response.headers["ETag"] = etag(json.loads(response.content)["version"])
    return response


def seen_version(request: Request) -> int:
    """The version that If-Match names.

    Raises PreconditionRequired without the header, and VersionMismatch for what is no ETag of ours;
    `*` is none, because it says nothing about what was seen.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise PreconditionRequired
    match = _ETAG.fullmatch(header)
    if match is None:
        raise VersionMismatch
    return int(match[1])
