"""The channels in Redis: `slots:<doctorId>` for each doctor, and one for all of them."""

import asyncio
import json
import time
from typing import Any

import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from docbook.events.changes import Change
from docbook.events.hub import Hub

log = structlog.get_logger(__name__)

PREFIX = "slots:"
# Something may have been missed: every page looks again.
DOUBT = f"{PREFIX}all"

PING_SECONDS, SILENT_SECONDS = 5.0, 12.0
RECONNECT_SECONDS = 1.0


def connected() -> Redis:
    client: Redis = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2)
    return client


async def publish(redis: Redis, change: Change) -> None:
    """Raises RedisError."""
    words = json.dumps({"day": change.day.isoformat(), "kind": change.kind})
    await redis.publish(f"{PREFIX}{change.doctor_id}", words)


async def publish_doubt(redis: Redis) -> None:
    """Raises RedisError."""
    await redis.publish(DOUBT, "")


async def listen(hub: Hub) -> None:
    """Gives the hub what is published, over one connection, until it is cancelled. While Redis is
    away, nobody can listen.
    """
    while True:
        try:
            async with connected() as redis, redis.pubsub() as subscription:
                await subscription.psubscribe(f"{PREFIX}*")
                await _pass_on(subscription, hub)
        except (RedisError, OSError) as error:
            if hub.is_open:
                log.warning("events_redis_unreachable", error=type(error).__name__)
        finally:
            hub.close()
        await asyncio.sleep(RECONNECT_SECONDS)


async def _pass_on(subscription: Any, hub: Hub) -> None:
    """Raises RedisError when the connection ends or falls silent."""
    heard_at = time.monotonic()
    while True:
        message = await subscription.get_message(timeout=PING_SECONDS)
        now = time.monotonic()
        if message is None:
            if now - heard_at > SILENT_SECONDS:
                raise RedisError("Redis has fallen silent")
            await subscription.ping()
            continue
        heard_at = now
        if message["type"] == "psubscribe":
            hub.open()
        elif message["type"] == "pmessage":
            _tell(hub, channel=message["channel"].decode(), words=message["data"].decode())


def _tell(hub: Hub, *, channel: str, words: str) -> None:
    if channel == DOUBT:
        hub.doubt()
        return
    name = channel.removeprefix(PREFIX)
    if name.isdecimal():
        hub.tell(int(name), words)
