"""Networks where the owner of an account has signed in recently or chosen a password with a link.

A browser shows a cookie; an app has none. So if strangers on many networks have used up the
password tries of an account, its owner's app is still let in from a known network. It gets no more
tries there than any network does. A new password, or ending all other sessions, makes every network
a stranger again except the one that asks.
"""

from django.core.cache import caches
from django.http import HttpRequest

from accounts.models import User
from docbook import redis
from docbook.http.keyed_digest import digest, network_digest

_WEEK = 7 * 24 * 3600


def remember_network(request: HttpRequest, *, user: User) -> None:
    """Redis may lose this; then the owner has to prove it again."""
    name = _name(request, user)
    redis.ask(lambda: caches["limits"].set(name, 1, _WEEK))


def is_known_network(request: HttpRequest, *, user: User | None) -> bool:
    if user is None:
        return False
    name = _name(request, user)
    return bool(redis.ask(lambda: caches["limits"].get(name)))


def _name(request: HttpRequest, user: User) -> str:
    stamp = f"{network_digest(request)} {user.pk} {user.get_session_auth_hash()}"
    return f"known-network:{digest(stamp)}"
