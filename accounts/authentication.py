"""`Authorization: Bearer …` for the API."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from accounts.models import User
from accounts.tokens import AccessToken


class UserRequest(Request):
    """The request of a view that lets in only callers with a token."""

    user: User
    auth: AccessToken


class BearerAuthentication(JWTAuthentication):
    """Sets `request.user` to the token's user if the account is still active, and `request.auth` to
    the token.

    A view with `believes_token` checks the account in a statement of its own. For such a view
    nothing is looked up here, and fields other than the id are read when needed.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _, raw = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token: Any = self.get_validated_token(raw)
        if getattr(request.parser_context["view"], "believes_token", False):
            return User.from_db(DEFAULT_DB_ALIAS, ["id"], [token.user_id]), token
        return self.get_user(token), token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        return 'Bearer realm="api"'
