"""Where django-ratelimit is extended: its settings name the two classes below."""

from typing import Any

from django_ratelimit.core import EXPIRATION_FUDGE
from django_redis.cache import RedisCache

# Ends what a key is made of; what django-ratelimit writes behind it is left out.
END = "."


class NameOfCount:
    """Stands in for its hash (RATELIMIT_HASH_ALGORITHM).

    What is counted for is hashed already. Its windows begin at fixed times; the name leaves them
    out, so that a window begins with its first request and ends when the key does.
    """

    def __init__(self, parts: bytes) -> None:
        self._parts = parts.decode()

    def hexdigest(self) -> str:
        return self._parts.rpartition(END)[0]


class LimitsCache(RedisCache):  # type: ignore[misc]  # django-redis has no types
    """Its cache (RATELIMIT_USE_CACHE). A key lives as long as the window, to the second."""

    def add(self, key: str, value: int, timeout: int, **options: Any) -> bool:
        return bool(super().add(key, value, timeout - EXPIRATION_FUDGE, **options))
