"""All addresses."""

from typing import Any

from allauth.account.decorators import reauthentication_required, secure_admin_login
from allauth.account.views import password_set
from django.contrib import admin
from django.shortcuts import redirect
from django.urls import include, path, re_path

from accounts.views import ChoosePassword, sessions, sign_in_again
from docbook.http import well_known


def _leading_to(page: str) -> Any:
    return lambda request, extra_context=None: redirect(page)  # noqa: ARG005 - the admin's signature


# The admin has no sign-in and no password change of its own: our pages have the limits, the second
# factor and the notices.
admin.site.login = secure_admin_login(_leading_to("admin:index"))  # type: ignore[method-assign]
admin.site.password_change = _leading_to("account_change_password")  # type: ignore[method-assign]

urlpatterns = [
    # First, because a prefix is compared sooner than all the addresses of pages.
    path("api/v1/", include("docbook.api_urls")),
    path("", include("doctors.urls")),
    path("", include("bookings.urls")),
    path(
        "accounts/sessions/",
        reauthentication_required(app="allauth.account")(sessions),
        name="account_sessions",
    ),
    path("accounts/reauthenticate/code/", sign_in_again, name="account_sign_in_again"),
    # allauth lets anybody set a password in a session that has none.
    path(
        "accounts/password/set/",
        reauthentication_required(app="allauth.account")(password_set),
        name="account_set_password",
    ),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        ChoosePassword.as_view(),
        name="account_reset_password_from_key",
    ),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("admin/", admin.site.urls),
    path(".well-known/security.txt", well_known.security_txt),
    path(".well-known/change-password", well_known.change_password),
    path("robots.txt", well_known.robots_txt),
]

handler400 = "docbook.http.pages.bad_request"
handler403 = "docbook.http.pages.forbidden"
handler404 = "docbook.http.pages.not_found"
handler500 = "docbook.http.pages.server_error"
