"""People open links of mails on other devices, where they are not signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from bookings.engine.selectors import became_a_visit
from docbook.errors import NotFound
from docbook.http.htmx import lead_to

View = Callable[..., HttpResponseBase]


def sign_in_where_nothing_is_found(view: View) -> View:
    """Asks visitors to sign in, whether or not the address exists: that gives nothing away. A guest
    whose browser owns the visit sees it. They sign in with a code by mail, because a guest has
    never chosen a password.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except NotFound:
            if request.user.is_authenticated or request.method not in ("GET", "HEAD"):
                raise
            return redirect_to_login(request.path, login_url="account_request_login_code")

    return wrapped


def visit_where_the_answer_was_lost(view: View) -> View:
    """For the steps of an attempt. A confirmation opens an account, and with it another session. If
    its answer was lost, the browser has neither and sends the step again. If the attempt became a
    visit, this leads to the visit's page, where the guest can sign in. Anything else is not found.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
        try:
            return view(request, hold_id=hold_id)
        except NotFound:
            if request.user.is_authenticated or not became_a_visit(hold_id):
                raise
            return lead_to(request, reverse("bookings:appointment", args=[hold_id]))

    return wrapped
