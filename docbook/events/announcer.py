"""Publishes changes over Redis. Of all processes that could, one does it at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.db import Error as DatabaseError
from django.db import connection
from redis.asyncio import Redis
from redis.exceptions import RedisError

from docbook.events.changes import Change, Trail
from docbook.events.channels import publish, publish_doubt
from docbook.lock_keys import ANNOUNCER
from docbook.postgres.rows import rows_of

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.25
# Between attempts to lead, and after an error.
WAIT_SECONDS = 1.0


class Announcer:
    """Reads the database in a thread of its own, which keeps one connection while it leads."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="announcer")
        self._trail: Trail | None = None

    async def run(self, redis: Redis) -> None:
        """Until it is cancelled."""
        while True:
            await self._turn(redis)

    async def _turn(self, redis: Redis) -> None:
        await asyncio.sleep(await self._announce(redis))

    async def _announce(self, redis: Redis) -> float:
        """Publishes what is new; returns how many seconds to wait."""
        loop, led = asyncio.get_running_loop(), self._trail is not None
        try:
            changes = await loop.run_in_executor(self._thread, self._look)
        except DatabaseError:
            log.warning("announcer_database_unreachable")
            await loop.run_in_executor(self._thread, self._give_up)
            return WAIT_SECONDS
        if changes is None:
            return WAIT_SECONDS
        try:
            if not led:
                await publish_doubt(redis)
            for each in changes:
                await publish(redis, each)
        except RedisError:  # pages get no stream without Redis, and look by themselves
            return WAIT_SECONDS
        return LOOK_SECONDS

    def _look(self) -> list[Change] | None:
        """None while another process leads. The lock ends with its connection."""
        if self._trail is None:
            [(leads,)] = rows_of("SELECT pg_try_advisory_lock(%s, %s)", *ANNOUNCER)
            if not leads:
                connection.close()
                return None
            self._trail = Trail()
        return self._trail.news()

    def _give_up(self) -> None:
        self._trail = None
        connection.close()
