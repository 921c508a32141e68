"""The account behind a request, or behind an address."""

from typing import Any

from allauth.account.internal.userkit import filter_users_by_email

from accounts.models import User


def signed_in(request: Any) -> User:
    """The user of a request that a login guard has let through.

    `request` is Django's or DRF's. Raises TypeError where no guard stands before.
    """
    user = request.user
    if not isinstance(user, User):
        raise TypeError("This needs a signed-in user; guard the view.")
    return user


def owner_of(email: str) -> User | None:
    """Whose sign-in a code or a password for this address is."""
    users = filter_users_by_email(email, is_active=True, prefer_verified=True, for_login=True)
    return users[0] if users else None
