"""Pages travel compressed, unless another site could learn a secret from how long they are.

BREACH (https://www.breachattack.com): a hostile site makes a browser ask for our page many times,
each time with another guess in the address. The answer is shortest where the guess repeats a secret
of the same page, and somebody on the line sees how long each answer is. The tokens of our forms are
masked anew for every page. Names and visits of people are not, and they stand in pages with a
session. We compress such a page only when our own pages ask for it, or the person at the browser.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# What browsers say for requests of our own pages, and for an address that somebody typed.
NOT_OF_OTHER_SITES = ("same-origin", "none")


class CompressedPagesMiddleware(GZipMiddleware):
    """Django's, for pages alone. It varies the length of each answer by up to 100 bytes."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if not _is_page(response) or _may_be_probed(request):
            return response
        return super().process_response(request, response)


def _is_page(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")


def _may_be_probed(request: HttpRequest) -> bool:
    """Whether another site may have asked for it. Old browsers do not say who asks."""
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return has_session and request.headers.get("Sec-Fetch-Site") not in NOT_OF_OTHER_SITES
