"""Requests that share one thread: each pauses where it waits, and another one goes on.

A hot request computes for less than a millisecond, and waits for Redis and PostgreSQL in between.
In a thread of its own, handing over takes as long as computing. So the web process runs it in a
fiber, a greenlet on the thread of the event loop. The code stays what it is elsewhere: where it
would wait, it calls `wait_for`, and where it would block, as with the ORM, `aside`. Django refuses
to ask the database on the thread of an event loop, so what was forgotten is an error and not a
standstill.

Outside of a fiber, `aside` just calls and `pause` sleeps.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, TypeVar, cast

from django.db import close_old_connections
from greenlet import getcurrent, greenlet

_Result = TypeVar("_Result")


class _Fiber(greenlet):  # type: ignore[misc]
    """`parent` is the event loop, which waits for what the fiber hands it."""


def is_inside() -> bool:
    return isinstance(getcurrent(), _Fiber)


async def run(call: Callable[[], _Result]) -> _Result:
    """The result of a call in a fiber; passes on its errors."""
    fiber = _Fiber(call)
    fiber.gr_context = copy_context()
    given = fiber.switch()
    while not fiber.dead:
        try:
            answer = await given
        except BaseException:  # noqa: BLE001 - the fiber's own code handles it
            given = fiber.throw(*sys.exc_info())
        else:
            given = fiber.switch(answer)
    return cast("_Result", given)


def wait_for(answer: Awaitable[_Result]) -> _Result:
    """Lets other requests go on until the answer is there. Only inside of a fiber."""
    loop: Any = getcurrent().parent
    return cast("_Result", loop.switch(answer))


def aside(call: Callable[[], _Result]) -> _Result:
    """The result of a call that may block, in a thread for such calls. What it notes in context
    variables, as for the log, is noted here as well.
    """
    if not is_inside():
        return call()
    context = copy_context()
    loop = asyncio.get_running_loop()
    try:
        return wait_for(loop.run_in_executor(None, context.run, _and_close, call))
    finally:
        for variable, value in context.items():
            variable.set(value)


def _and_close(call: Callable[[], _Result]) -> _Result:
    """As at the end of a request: the thread gives its connection back."""
    try:
        return call()
    finally:
        close_old_connections()


def pause(seconds: float) -> None:
    if is_inside():
        wait_for(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)
