"""Addresses that programs look for on every site."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

GOOD_FOR = timedelta(days=180)  # RFC 9116: less than a year
DAY = "max-age=86400"


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Where to report a vulnerability (RFC 9116)."""
    expires = timezone.now().replace(microsecond=0) + GOOD_FOR
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires.isoformat().replace('+00:00', 'Z')}",
        "Preferred-Languages: en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
    ]
    return _text(lines)


@require_safe
def change_password(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Where password managers send people (W3C, A Well-Known URL for Changing Passwords)."""
    return redirect("account_change_password")


@require_safe
def robots_txt(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Search engines may find doctors. They need not try pages behind a sign-in."""
    private = ("/accounts/", "/admin/", "/api/", "/appointments/", "/book/", "/schedule/")
    return _text(["User-agent: *", *(f"Disallow: {path}" for path in private)])


def _text(lines: list[str]) -> HttpResponse:
    text = "\n".join([*lines, ""])
    headers = {"Cache-Control": DAY}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)
