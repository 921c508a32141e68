"""Redis as something that may be gone: asked in one round trip, then left alone for a moment.

A booking continues without Redis, and must not wait for a dead or frozen server each time. So a
failure opens a breaker: for a second nobody in this process asks again.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from redis.commands.core import Script
from redis.exceptions import NoScriptError, RedisError

from docbook import fibers
from docbook.redis_line import RedisLine

log = structlog.get_logger(__name__)

PASSED = "count:docbook_passed_without_redis_total"
PAUSE_SECONDS = 1.0
LOG_EVERY_SECONDS = 60.0
_Answer = TypeVar("_Answer")


class _Breaker:
    """Since when this server does not answer. One per address: another server starts fresh."""

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


class _Passed:
    """How many calls continued without an answer. A dead server cannot count them, so the number
    waits here for the next call that works. It is lost if the process ends first.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._number = 0

    def add(self, number: int) -> None:
        with self._lock:
            self._number += number

    def take(self) -> int:
        with self._lock:
            number, self._number = self._number, 0
        return number


_breakers: dict[str, _Breaker] = {}
_passed = _Passed()
_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, RedisLine] = WeakKeyDictionary()


def run(script: str, *, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
    """Returns the result of the Lua script; None if Redis does not answer. A script must not return
    nil.
    """
    return ask(lambda: _evaluate(script, keys, arguments))


def _evaluate(script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
    """Over a connection of the pool, without the client around it: its retries and measurements
    take longer than the call. The pool has replaced a connection that the server closed.
    """
    if fibers.is_inside():
        return _evaluate_in_fiber(script, keys, arguments)
    pool = get_redis_connection("default").connection_pool
    connection = pool.get_connection()
    try:
        return _call(connection, "EVALSHA", _digest(script), len(keys), *keys, *arguments)
    except NoScriptError:  # a server that is new
        return _call(connection, "EVAL", script, len(keys), *keys, *arguments)
    finally:
        pool.release(connection)


def _evaluate_in_fiber(script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
    line = _line()
    try:
        return fibers.wait_for(line.ask("EVALSHA", _digest(script), len(keys), *keys, *arguments))
    except NoScriptError:
        return fibers.wait_for(line.ask("EVAL", script, len(keys), *keys, *arguments))


def _line() -> RedisLine:
    """One for each event loop, of which a process has one."""
    loop = asyncio.get_running_loop()
    if loop not in _lines:
        _lines[loop] = RedisLine()
    return _lines[loop]


def _call(connection: Any, *command: str | int) -> Any:
    connection.send_command(*command)
    return connection.read_response()


@cache
def _digest(script: str) -> str:
    """The name that the script has in Redis."""
    return Script(get_redis_connection("default"), script).sha


def ask(call: Callable[[], _Answer]) -> _Answer | None:
    """Returns the result of a call to Redis; None without Redis, which PASSED counts."""
    breaker = _breakers.setdefault(str(settings.CACHES["default"]["LOCATION"]), _Breaker())
    if breaker.is_open():
        _passed.add(1)
        return None
    try:
        answer = call()
    except RedisError as error:
        breaker.trip(error)
        _passed.add(1)
        return None
    _tell_what_passed()
    return answer


def _tell_what_passed() -> None:
    number = _passed.take()
    if not number:
        return
    try:
        fibers.aside(lambda: get_redis_connection("default").incrby(PASSED, number))
    except RedisError:
        _passed.add(number)
