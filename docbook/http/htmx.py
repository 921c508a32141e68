"""Does the request come from htmx?"""

from django.http import HttpRequest


def wants_fragment(request: HttpRequest) -> bool:
    """True for a swap within a page. False for a whole page, including one that htmx restores from
    its history.
    """
    details = getattr(request, "htmx", None)
    return details is not None and bool(details) and not details.history_restore_request
