"""The account behind a request."""

from typing import Any

from accounts.models import User


def signed_in(request: Any) -> User:
    """The user of a request that a login guard has let through.

    `request` is Django's or DRF's. Raises TypeError where no guard stands before.
    """
    user = request.user
    if not isinstance(user, User):
        raise TypeError("This needs a signed-in user; guard the view.")
    return user
