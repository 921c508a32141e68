"""Changing only what one has seen (RFC 9110, 13): the ETag is the version in quotes."""

import json
import re
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from docbook.errors import DomainError, VersionMismatch

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description='The ETag of what you have seen, like "1"; or a list of them, or `*`.',
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of what you have: the answer is 304 while it is the newest.",
)
NOT_MODIFIED = OpenApiResponse(description="As you have it.")
_ETAG = re.compile(r'"([0-9]{1,9})"')


class PreconditionRequired(DomainError):
    """No If-Match: two people could undo each other's changes without knowing."""

    code = "precondition-required"


def etag(version: int) -> str:
    return f'"{version}"'


def versioned_response(request: Request, data: Any, *, version: int) -> HttpResponseBase:
    """200 with the ETag, or 304 for a client that has this version already."""
    tag = etag(version)
    return unless_known(request, Response(data, headers={"ETag": tag}), tag=tag)


def unless_known(request: Request, response: Response, *, tag: str) -> HttpResponseBase:
    """304 instead of what the client has already. Raises VersionMismatch where it asks for another
    version only.
    """
    found = get_conditional_response(request._request, etag=tag, response=response) or response
    if found.status_code == 412:  # Django's own has no body
        raise VersionMismatch
    return found


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
