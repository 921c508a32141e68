"""Redis as something that may be gone: asked in one round trip, then left alone for a moment.

A booking goes on without Redis. So that it does not wait for a dead or frozen server each time, a
failure opens a breaker: for a second nobody in this process asks again.
"""

import time
from collections.abc import Sequence
from typing import Any

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from redis.commands.core import Script
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0
LOG_EVERY_SECONDS = 60.0


class _Breaker:
    """Since when this server does not answer; one for each address, so that another one is new."""

    def __init__(self) -> None:
        self.closed_again_at = 0.0
        self.log_again_at = 0.0

    def is_open(self) -> bool:
        return time.monotonic() < self.closed_again_at

    def trip(self, error: RedisError) -> None:
        now = time.monotonic()
        self.closed_again_at = now + PAUSE_SECONDS
        if now >= self.log_again_at:
            self.log_again_at = now + LOG_EVERY_SECONDS
            log.warning("redis_unreachable", error=type(error).__name__)


_breakers: dict[str, _Breaker] = {}


def run(script: str, *, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
    """What the Lua script answers; None when Redis does not. A script must not answer nil."""
    breaker = _breakers.setdefault(str(settings.CACHES["default"]["LOCATION"]), _Breaker())
    if breaker.is_open():
        return None
    try:
        redis = get_redis_connection("default")
        return Script(redis, script)(keys=keys, args=arguments)
    except RedisError as error:
        breaker.trip(error)
        return None
