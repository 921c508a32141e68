"""Requests that come shortly after one another go on together.

A request alone is dear. Each of its steps, to Redis, to the database and back, wakes another
thread or process, and changing places takes longer than the work itself. Ten that go together wake
each of them once. On a busy day requests come one by one, and the processors are full long before
the server has all it could do. So a group goes on at once, and those who come in the next 12 ms go
with the next group.
"""

import asyncio

SECONDS = 0.012


class Pace:
    """Of one event loop. A request that comes to a server at rest does not wait."""

    def __init__(self) -> None:
        self._last_group = -SECONDS
        self._next_group: asyncio.Event | None = None  # none while nobody waits

    async def join_group(self) -> None:
        """Returns when the group goes on."""
        loop = asyncio.get_running_loop()
        if self._next_group is None:
            if loop.time() >= self._last_group + SECONDS:
                self._last_group = loop.time()
                return
            self._next_group = asyncio.Event()
            loop.call_at(self._last_group + SECONDS, self._go_on)
        await self._next_group.wait()

    def _go_on(self) -> None:
        self._last_group = asyncio.get_running_loop().time()
        if self._next_group:
            self._next_group.set()
        self._next_group = None
