"""Extends django-ratelimit: its settings name the two classes below."""

from typing import Any

from django_ratelimit.core import EXPIRATION_FUDGE
from django_redis.cache import RedisCache

# Ends a key. What django-ratelimit adds after it is dropped.
END = "."


class NameOfCount:
    """Replaces its hash (RATELIMIT_HASH_ALGORITHM).

    What is counted is hashed already. django-ratelimit's windows begin at fixed times and are part
    of the key. Here the key leaves them out: a window begins with its first request and ends when
    the key expires.
    """

    def __init__(self, parts: bytes) -> None:
        self._parts = parts.decode()

    def hexdigest(self) -> str:
        return self._parts.rpartition(END)[0]


class LimitsCache(RedisCache):  # type: ignore[misc]  # django-redis has no types
    """Its cache (RATELIMIT_USE_CACHE). A key lives exactly as long as the window."""

    def add(self, key: str, value: int, timeout: int, **options: Any) -> bool:
        return bool(super().add(key, value, timeout - EXPIRATION_FUDGE, **options))
