"""Does the request come from htmx, and how is it led to another page?"""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

# A page that looks for news sends it, and so does the stream that tells it of them.
BY_ITSELF = "X-By-Itself"


def is_by_itself(request: HttpRequest) -> bool:
    """Whether the page asks without anybody at the screen. Such a request must not keep a session
    alive.
    """
    return BY_ITSELF in request.headers


def wants_fragment(request: HttpRequest) -> bool:
    """True for a swap within a page. False for a whole page, including one that htmx restores from
    its history.
    """
    details = getattr(request, "htmx", None)
    return details is not None and bool(details) and not details.history_restore_request


def lead_to(request: HttpRequest, url: str) -> HttpResponseBase:
    """A redirect of the whole page: htmx would put the next page into the place of a fragment."""
    return HttpResponseClientRedirect(url) if wants_fragment(request) else redirect(url)
