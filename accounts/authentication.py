"""`Authorization: Bearer …` for the API."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens
from accounts.models import User


class BearerAuthentication(BaseAuthentication):
    """Sets `request.user` to the token's user, if the account may still be used.

    A view with `believes_token` has one statement that looks at the account itself: for it nothing
    is looked up here, and fields other than the id are read when somebody asks for them.
    """

    def authenticate(self, request: Request) -> tuple[User, dict[str, Any]] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        try:
            claims = tokens.read(token.decode("ascii"), kind="access")
        except (tokens.InvalidToken, UnicodeDecodeError) as error:
            raise AuthenticationFailed from error
        user_id = int(claims["sub"])
        if getattr(request.parser_context["view"], "believes_token", False):
            return User.from_db(DEFAULT_DB_ALIAS, ["id"], [user_id]), claims
        return _load(user_id), claims

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        return 'Bearer realm="api"'


def _load(user_id: int) -> User:
    """Raises AuthenticationFailed when the account is gone or switched off since."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise AuthenticationFailed
    return user
