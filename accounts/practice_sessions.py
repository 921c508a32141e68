"""Sessions of people who work here: they end early, and a second factor opens the practice.

The session's own expiry sets the limits, so nothing is looked up for them. Only pages of the
practice and the admin ask for the second factor, once per session.
"""

from collections.abc import Callable
from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_used
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import ResolverMatch, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from accounts import second_factor
from accounts.models import User
from accounts.roles import works_here
from docbook.http.htmx import is_by_itself

_BEGAN, _SEEN, _GIVEN_BY = "work_began", "work_seen", "second_factor_of"
_SEEN_EVERY = 60  # seconds; a session is not written for every page

View = Callable[..., Any]


def of_the_practice(view: View) -> View:
    """Marks a view as a page of the practice."""
    view.of_the_practice = True  # type: ignore[attr-defined]
    return view


@receiver(user_logged_in)
def begin_work(request: HttpRequest, user: User, **_: Any) -> None:
    if works_here(user):
        request.session[_BEGAN] = timezone.now().timestamp()


@receiver(authenticator_used)
def note_second_factor(request: HttpRequest, user: User, **_: Any) -> None:
    request.session[_GIVEN_BY] = user.pk


@receiver(post_save, sender=Authenticator)
def note_new_app(instance: Authenticator, created: bool, **_: Any) -> None:
    """A user who sets up an app enters one of its codes, so that is a second factor."""
    request = context.request
    if created and request is not None and request.user.pk == instance.user_id:
        note_second_factor(request, instance.user)


class PracticeSessionMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.session.accessed and _BEGAN in request.session:
            _limit(request)
        return response

    def process_view(self, request: HttpRequest, view: View, *_: Any) -> HttpResponse | None:
        if not _is_of_the_practice(request.resolver_match, view):
            return None
        user = request.user
        if not isinstance(user, User) or not user.is_authenticated:
            return None
        if _BEGAN not in request.session and works_here(user):
            begin_work(request, user)
        if not settings.REQUIRE_SECOND_FACTOR or request.session.get(_GIVEN_BY) == user.pk:
            return None
        return _ask(request, user) if works_here(user) else None


def _is_of_the_practice(match: ResolverMatch | None, view: View) -> bool:
    if getattr(view, "of_the_practice", False):
        return True
    return match is not None and match.app_name == "admin" and match.url_name != "logout"


def _ask(request: HttpRequest, user: User) -> HttpResponse:
    page = "mfa_reauthenticate" if second_factor.has_one(user) else "mfa_activate_totp"
    url = f"{reverse(page)}?{urlencode({'next': request.get_full_path()})}"
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)


def _limit(request: HttpRequest) -> None:
    """Ends the session after a time without a page, and in any case after a day's work."""
    session, now = request.session, timezone.now().timestamp()
    left = int(session[_BEGAN] + settings.WORK_SESSION_HOURS * 3600 - now)
    if left <= 0:
        session.flush()
    elif is_by_itself(request):
        return
    # A sign-in writes the session in any case.
    elif session.modified or now - session.get(_SEEN, session[_BEGAN]) >= _SEEN_EVERY:
        session[_SEEN] = now
        session.set_expiry(min(left, settings.WORK_IDLE_MINUTES * 60))
