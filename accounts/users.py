"""The account behind a request or an address."""

from typing import Any

from allauth.account.internal.userkit import filter_users_by_email

from accounts.models import User


def signed_in(request: Any) -> User:
    """The user of a request that has passed a login guard.

    `request` is Django's or DRF's. Raises TypeError if the view has no guard.
    """
    user = request.user
    if not isinstance(user, User):
        raise TypeError("This needs a signed-in user; guard the view.")
    return user


def owner_of(email: str) -> User | None:
    """The user who signs in when a code or password for this address is right."""
    users = filter_users_by_email(email, is_active=True, prefer_verified=True, for_login=True)
    return users[0] if users else None
