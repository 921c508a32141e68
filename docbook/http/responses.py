"""Answers that anybody may keep for a moment."""

import hashlib
from typing import Any

from django.http import HttpResponseBase
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from docbook.http.preconditions import unless_known


def public_response(request: Request, data: Any) -> HttpResponseBase:
    """200 with an ETag and fifteen seconds of life, or 304 if the client already has it."""
    etag = f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'
    response = Response(data, headers={"ETag": etag, "Cache-Control": "public, max-age=15"})
    return unless_known(request, response, tag=etag)
