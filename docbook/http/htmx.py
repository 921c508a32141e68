"""Is it htmx that asks?"""

from django.http import HttpRequest


def wants_fragment(request: HttpRequest) -> bool:
    """True for a swap inside of a page; False for a whole page, also when htmx restores one from
    its history.
    """
    details = getattr(request, "htmx", None)
    return details is not None and bool(details) and not details.history_restore_request
