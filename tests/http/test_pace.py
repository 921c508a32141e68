"""Requests that come shortly after one another, and the groups in which they go on."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from docbook import pace
from docbook.pace import Pace


class Requests:
    """Those who have come, and who has gone on."""

    def __init__(self) -> None:
        self.pace = Pace()
        self.gone: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str) -> None:
        for name in names:
            self.tasks[name] = asyncio.create_task(self._go(name))
        await asyncio.sleep(0)

    async def _go(self, name: str) -> None:
        await self.pace.join_group()
        self.gone.append(name)


def with_requests(act: Callable[[Requests], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(10):
            await act(Requests())

    asyncio.run(run())


def test_request_to_a_server_at_rest_does_not_wait() -> None:
    async def act(requests: Requests) -> None:
        await requests.come("first")
        assert requests.gone == ["first"]

    with_requests(act)


def test_those_who_come_soon_after_go_together() -> None:
    async def act(requests: Requests) -> None:
        await requests.come("first", "second")
        await requests.come("third")
        assert requests.gone == ["first"]
        await requests.tasks["second"]
        await asyncio.sleep(0)
        assert requests.gone == ["first", "second", "third"]

    with_requests(act)


def test_next_group_waits_for_as_long_after_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(requests: Requests) -> None:
        await requests.come("first", "second")
        await requests.tasks["second"]
        monkeypatch.setattr(pace, "SECONDS", 3600)
        await requests.come("third")
        assert requests.gone == ["first", "second"]

    with_requests(act)


def test_rest_follows_a_group_to_which_nobody_came(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(requests: Requests) -> None:
        await requests.come("first", "second")
        await requests.tasks["second"]
        monkeypatch.setattr(pace, "SECONDS", 0)
        await requests.come("third")
        assert requests.gone == ["first", "second", "third"]

    with_requests(act)


def test_one_who_leaves_takes_nobody_along() -> None:
    async def act(requests: Requests) -> None:
        await requests.come("first", "second", "third")
        requests.tasks["second"].cancel()
        await requests.tasks["third"]
        assert requests.gone == ["first", "third"]

    with_requests(act)
