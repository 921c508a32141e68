"""Which client a request comes from. Only our own proxies are believed."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address that the outermost trusted proxy saw.

    Each of our TRUSTED_PROXIES appends one entry to X-Forwarded-For. The client wrote everything to
    the left of those entries, so it is ignored.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    hops = int(settings.TRUSTED_PROXIES)
    written = request.META.get("HTTP_X_FORWARDED_FOR", "")
    forwarded = [each.strip() for each in written.split(",")]
    if not hops or len(forwarded) < hops or not forwarded[-hops]:
        return peer
    return str(forwarded[-hops])
