"""Who waits in front of a process, who goes first, and who is refused. The clock stands still
unless a test moves it.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from docbook import waiting_line
from docbook.waiting_line import WaitingLine


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(waiting_line, "monotonic", clock)
    monkeypatch.setattr(waiting_line, "INSIDE", 1)
    monkeypatch.setattr(waiting_line, "FIRST_GUESS", 0.1)
    return clock


class Front:
    """A line whose only place is taken, and those who wait in it."""

    def __init__(self) -> None:
        self.line = WaitingLine()
        self.told: dict[str, bool] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, *, finishes: bool = False) -> bool:
        """Whether they may wait."""
        if self.line.refuses(finishes=finishes):
            return False
        self.tasks[name] = asyncio.create_task(self._enter(name, finishes))
        await asyncio.sleep(0)
        return True

    async def _enter(self, name: str, finishes: bool) -> None:
        self.told[name] = await self.line.enter(finishes=finishes)

    async def leave(self) -> list[str]:
        """Who has entered so far."""
        self.line.leave()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return [name for name, may_enter in self.told.items() if may_enter]


def at_the_front(act: Callable[[Front], Awaitable[None]]) -> None:
    async def run() -> None:
        front = Front()
        assert await front.come("first")
        await act(front)

    asyncio.run(run())


def test_turns_come_in_order_and_those_who_finish_go_first() -> None:
    async def act(front: Front) -> None:
        for name in ("hold", "another", "confirm"):
            assert await front.come(name, finishes=name == "confirm")
        assert await front.leave() == ["first", "confirm"]
        assert await front.leave() == ["first", "confirm", "hold"]
        assert await front.leave() == ["first", "confirm", "hold", "another"]

    at_the_front(act)


def test_line_that_stays_must_be_short_but_who_finishes_may_join(clock: Clock) -> None:
    async def act(front: Front) -> None:
        await front.come("a")
        await front.come("b")
        clock.now += waiting_line.A_CROWD_COMES_WITHIN
        assert not await front.come("late")  # two turns of 0.1 s are ahead
        assert await front.come("confirm", finishes=True)

    at_the_front(act)


def test_crowd_that_comes_to_an_empty_line_is_served_as_a_whole(clock: Clock) -> None:
    async def act(front: Front) -> None:
        names = [str(number) for number in range(20)]
        assert all([await front.come(name) for name in names])
        clock.now += 2 * waiting_line.TOO_LONG
        for _ in names:
            entered = await front.leave()
        assert entered == ["first", *names]

    at_the_front(act)


def test_when_others_keep_coming_nobody_is_answered_too_late(clock: Clock) -> None:
    async def act(front: Front) -> None:
        for name in ("a", "b", "c"):
            await front.come(name)
        await front.come("confirm", finishes=True)
        clock.now += 2 * waiting_line.TOO_LONG
        assert not await front.come("late")
        assert await front.leave() == ["first", "confirm"]
        assert [front.told[name] for name in ("a", "b", "c")] == [False] * 3
        # The line is empty, but this is no new crowd: the rush goes on.
        assert [await front.come(name) for name in ("d", "e", "f")] == [True, True, False]

    at_the_front(act)


def test_after_a_rush_a_crowd_is_given_time_again(clock: Clock) -> None:
    async def act(front: Front) -> None:
        for name in ("a", "b"):
            await front.come(name)
        clock.now += waiting_line.A_CROWD_COMES_WITHIN
        assert not await front.come("late")
        for _ in range(3):
            await front.leave()
        clock.now += waiting_line.RUSH
        assert all([await front.come(str(number)) for number in range(9)])

    at_the_front(act)


def test_turns_that_take_longer_make_the_line_shorter(clock: Clock) -> None:
    async def act(front: Front) -> None:
        for number in range(6):
            await front.come(f"finishing {number}", finishes=True)
        for _ in range(6):
            clock.now += 100.0
            await front.leave()
        await front.come("next", finishes=True)
        assert not await front.come("late", finishes=True)

    at_the_front(act)


def test_who_leaves_the_line_or_is_called_while_leaving_keeps_nobody_waiting() -> None:
    async def act(front: Front) -> None:
        for name in ("gone", "called", "next"):
            await front.come(name)
        front.tasks["gone"].cancel()
        front.line.leave()
        front.tasks["called"].cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert front.told == {"first": True, "next": True}

    at_the_front(act)
