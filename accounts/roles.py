"""Which accounts can do more than book for themselves.

This app knows who is staff. Apps above it `register` the roles they know, such as doctor and
secretary.
"""

from collections.abc import Callable

from accounts.models import User

Says = Callable[[User], bool]

_also_work_here: list[Says] = []


def register(says: Says) -> Says:
    """Decorates a function that says whether a user has a certain role."""
    _also_work_here.append(says)
    return says


def works_here(user: User) -> bool:
    """Staff, and those who run a doctor's day."""
    if user.is_staff or user.is_superuser:
        return True
    return any(says(user) for says in _also_work_here)
