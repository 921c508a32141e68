"""`/metrics`, for callers with the token."""

from secrets import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from docbook.observability import metrics


def answer(request: HttpRequest) -> HttpResponse | None:
    """None for a stranger, who gets the answer for an unknown address."""
    if not _has_token(request):
        return None
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    given, token = request.headers.get("Authorization", ""), settings.METRICS_TOKEN
    return bool(token) and compare_digest(given.encode(), f"Bearer {token}".encode())
