"""Changes only the version that the client has seen (RFC 9110, 13). The ETag is the version in
quotes.
"""

import json
import re
from collections.abc import Container
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from docbook.errors import DomainError, FieldError, VersionMismatch

_TAG = '(W/)?"[!#-~]*"'
IF_MATCH = OpenApiParameter(
    "If-Match",
    {
        "type": "string",
        "minLength": 1,
        "pattern": rf"^(\*|[ \t,]*{_TAG}([ \t]*,[ \t,]*{_TAG})*[ \t,]*)$",
    },
    OpenApiParameter.HEADER,
    required=True,
    description='The ETag of what you have seen, like "1"; a list of them, or `*`.',
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of what you have: the answer is 304 while it is the newest.",
)
NOT_MODIFIED = OpenApiResponse(description="As you have it.")
_OURS = re.compile(r'"(0|[1-9][0-9]{0,8})"')
# One tag of a list. A list may have empty places, and a tag may have commas (RFC 9110, 5.6.1 and
# 8.8.3).
_NEXT = re.compile(r'[ \t,]*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?=,|$)')
_REST = re.compile(r"[ \t,]*")


class PreconditionRequired(DomainError):
    """No If-Match: two people could undo each other's changes without noticing."""

    code = "precondition-required"


def etag(version: int) -> str:
    return f'"{version}"'


def versioned_response(request: Request, data: Any, *, version: int) -> HttpResponseBase:
    """200 with the ETag, or 304 if the client already has this version."""
    tag = etag(version)
    return unless_known(request, Response(data, headers={"ETag": tag}), tag=tag)


def unless_known(request: Request, response: Response, *, tag: str) -> HttpResponseBase:
    """304 if the client already has this answer. Raises VersionMismatch if it asks only for another
    version.
    """
    found = get_conditional_response(request._request, etag=tag, response=response) or response
    if found.status_code == 412:  # Django's own has no body
        raise VersionMismatch
    return found


def with_etag_of_body(response: HttpResponse) -> HttpResponse:
    """A recorded answer has no version, so its body gives the ETag."""
    if response.status_code == 200:
        response.headers["ETag"] = etag(json.loads(response.content)["version"])
    return response


class AnyVersion:
    """What `*` stands for: any version."""

    def __contains__(self, version: object) -> bool:
        return True


def seen_versions(request: Request) -> Container[int]:
    """The versions that If-Match names.

    A weak tag or a tag of somebody else names no version: the comparison is strong. Raises
    PreconditionRequired without the header, and FieldError for a value that is neither `*` nor a
    list of tags.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise PreconditionRequired
    if header == "*":
        return AnyVersion()
    return {int(match[1]) for tag in _tags(header) if (match := _OURS.fullmatch(tag))}


def _tags(header: str) -> list[str]:
    tags, end = [], 0
    while match := _NEXT.match(header, end):
        tags.append(match[1])
        end = match.end()
    if not tags or not _REST.fullmatch(header, end):
        message = 'This must be an ETag in quotes, like "1", a list of them, or *.'
        raise FieldError("If-Match", message)
    return tags
