"""Which accounts can do more than book for themselves.

Staff are known here. Apps above tell of others, by `register`: who is a doctor or a secretary is
theirs to say.
"""

from collections.abc import Callable

from accounts.models import User

Says = Callable[[User], bool]

_also_work_here: list[Says] = []


def register(says: Says) -> Says:
    """Decorates a function that knows of a role."""
    _also_work_here.append(says)
    return says


def works_here(user: User) -> bool:
    """Staff, and those who run the day of a doctor."""
    if user.is_staff or user.is_superuser:
        return True
    return any(says(user) for says in _also_work_here)
