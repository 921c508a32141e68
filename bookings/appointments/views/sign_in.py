"""People open links of mails on other devices, where they are not signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from docbook.errors import NotFound

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
