"""A Redis that is gone, or one that takes connections and never answers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from devstack.ports import LOOPBACK, free_port


@contextmanager
def lost_redis(settings: Any, how: str) -> Iterator[None]:
    """`how` is "gone" or "frozen"."""
    with socket.create_server((LOOPBACK, 0)) as silent:
        port = silent.getsockname()[1] if how == "frozen" else free_port()
        living = settings.CACHES
        settings.CACHES = {name: _elsewhere(cache, port) for name, cache in living.items()}
        try:
            yield
        finally:
            settings.CACHES = living


def _elsewhere(cache: dict[str, Any], port: int) -> dict[str, Any]:
    """With production's timeout: a test need not wait five seconds."""
    options = cache["OPTIONS"] | {"SOCKET_TIMEOUT": 0.2}
    return cache | {"LOCATION": f"redis://{LOOPBACK}:{port}/0", "OPTIONS": options}
