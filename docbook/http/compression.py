"""Compresses pages unless another site could learn a secret from their length.

BREACH (https://www.breachattack.com): a hostile site makes a browser request our page many times,
each time with another guess in the address. The answer is shortest if the guess repeats a secret on
the same page, and somebody on the line sees how long each answer is. The tokens of our forms are
masked differently for every page. Names and visits of people are not, and pages with a session show
them. We compress such a page only if our own pages or the person at the browser ask for it.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# The values that browsers send for requests of our own pages, and for a typed address.
NOT_OF_OTHER_SITES = ("same-origin", "none")


class CompressedPagesMiddleware(GZipMiddleware):
    """Django's middleware, for pages only. It varies the length of each answer by up to 100
    bytes.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if not _is_page(response) or _may_be_probed(request):
            return response
        return super().process_response(request, response)


def _is_page(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")


def _may_be_probed(request: HttpRequest) -> bool:
    """Whether another site may have asked for the page. Old browsers do not say who asks."""
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return has_session and request.headers.get("Sec-Fetch-Site") not in NOT_OF_OTHER_SITES
