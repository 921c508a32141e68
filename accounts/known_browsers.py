"""Browsers that have signed in to an account before, recognised by a signed cookie.

Strangers must not lock the owner out by using up the tries. So a known browser is counted
separately (OWASP calls this a device cookie). A new password, or ending all other sessions, makes
every browser a stranger again except the one that asks.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from accounts.models import User
from docbook.http.keyed_digest import digest

_SALT = "accounts.known-browser"
_YEAR = 365 * 24 * 3600
_MOST_ACCOUNTS = 5


def cookie_name() -> str:
    return "__Host-known" if settings.SESSION_COOKIE_SECURE else "known"


def is_known_to_anybody(request: HttpRequest) -> bool:
    """Whether it is worth looking up an account to compare."""
    return cookie_name() in request.COOKIES


def name_of_browser(request: HttpRequest, user: User | None) -> str:
    """A name for this browser if it has signed in to this account before, otherwise empty."""
    browser, accounts = _read(request)
    return browser if user is not None and _stamp(user) in accounts else ""


def remember_browser(request: HttpRequest, response: HttpResponse, *, user: User) -> None:
    """Adds the account to the cookie that marks this browser as known.

    It lists the newest few accounts, because a family may share a browser.
    """
    browser, accounts = _read(request)
    mine = _stamp(user)
    accounts = [*(each for each in accounts if each != mine), mine][-_MOST_ACCOUNTS:]
    value = [browser or get_random_string(16), *accounts]
    response.set_cookie(
        cookie_name(),
        signing.dumps(value, salt=_SALT),
        max_age=_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        value = signing.loads(request.COOKIES.get(cookie_name(), ""), salt=_SALT, max_age=_YEAR)
    except signing.BadSignature:
        return "", []
    return value[0], value[1:]


def _stamp(user: User) -> str:
    return digest(f"known-{user.pk}-{user.get_session_auth_hash()}")
