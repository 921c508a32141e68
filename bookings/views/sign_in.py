"""Links of mails are opened on other devices, where nobody is signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from docbook.errors import NotFound

View = Callable[..., HttpResponseBase]


def sign_in_where_nothing_is_found(view: View) -> View:
    """Whoever is not signed in is asked to, whether there is something at the address or not: so
    it gives nothing away. A guest who owns it through their browser sees it. The way in is the code
    by mail: who booked as a guest has never made a password.
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
