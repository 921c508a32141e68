"""One connection to Redis for all fibers of an event loop: nobody waits for another one's answer
before asking.

The client library has no such connection. Its own asks and waits for each answer in turn, and takes
longer than Redis does. It still reads our address, and its parser reads what Redis says.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable
from functools import partial
from typing import Any

import hiredis
from django.conf import settings
from redis.connection import SSLConnection, parse_url
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as TooLate


class RedisLine:
    """Answers come in the order of the questions. A line that fails, or that keeps somebody waiting
    for longer than the settings allow, is dropped with all that wait on it; the next question makes
    a new one.
    """

    def __init__(self) -> None:
        cache = settings.CACHES["default"]
        self._seconds: float = cache["OPTIONS"]["SOCKET_TIMEOUT"]
        parse: Any = parse_url  # has no types
        self._address: dict[str, Any] = dict(parse(cache["LOCATION"]))
        self._line: _Line | None = None
        self._connecting = asyncio.Lock()

    def ask(self, *command: str | int) -> Awaitable[Any]:
        """The answer. Awaiting it raises RedisError."""
        if self._line is None or self._line.has_ended:
            return self._ask_on_a_new_line(command)
        return self._line.ask(command)

    async def _ask_on_a_new_line(self, command: tuple[str | int, ...]) -> Any:
        try:
            async with asyncio.timeout(self._seconds), self._connecting:
                if self._line is None or self._line.has_ended:
                    self._line = await _connected(self._address, seconds=self._seconds)
        except TimeoutError as error:
            raise TooLate("Redis does not answer") from error
        except OSError as error:
            raise Unreachable(str(error)) from error
        return await self._line.ask(command)


class _Line(asyncio.Protocol):
    """What is asked in one turn of the event loop is sent at once."""

    def __init__(self, *, seconds: float) -> None:
        self.has_ended = False
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._asked: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []
        self._watch: asyncio.TimerHandle | None = None
        self._moved_at = 0.0  # something was sent to a line at rest, or has come
        self._transport: Any = None

    def ask(self, command: tuple[str | int, ...]) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self.has_ended:
            answer.set_exception(Unreachable("the line has ended"))
            return answer
        self._asked.append(answer)
        if not self._unsent:
            self._loop.call_soon(self._send)
        packed: Any = command  # hiredis takes any number of parts, whatever its types say
        self._unsent.append(hiredis.pack_command(packed))
        return answer

    def drop(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._moved_at = self._loop.time()
        self._reader.feed(data)
        while (found := self._reader.gets()) is not False:
            answer = self._asked.popleft()
            if answer.done():  # nobody waits for it any more
                continue
            if isinstance(found, hiredis.ReplyError):
                answer.set_exception(_error(str(found)))
            else:
                answer.set_result(found)

    def connection_lost(self, _error: Exception | None) -> None:
        self._end(Unreachable("Redis has closed the line"))

    def _send(self) -> None:
        if not self.has_ended:
            self._transport.write(b"".join(self._unsent))
            if len(self._asked) == len(self._unsent):
                self._moved_at = self._loop.time()
            if self._watch is None:
                self._watch = self._loop.call_later(self._seconds, self._look_at_the_time)
        self._unsent.clear()

    def _look_at_the_time(self) -> None:
        """What has come is read before a timer runs, however much the process has to do."""
        self._watch = None
        if not self._asked:
            return
        left = self._moved_at + self._seconds - self._loop.time()
        if left <= 0:
            self._end(TooLate("Redis does not answer"))
            self.drop()
        else:
            self._watch = self._loop.call_later(left, self._look_at_the_time)

    def _end(self, error: RedisError) -> None:
        self.has_ended = True
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(error)
        self._asked.clear()


def _error(words: str) -> RedisError:
    return NoScriptError(words) if words.startswith("NOSCRIPT") else ResponseError(words)


async def _connected(address: dict[str, Any], *, seconds: float) -> _Line:
    loop = asyncio.get_running_loop()
    new_line = partial(_Line, seconds=seconds)
    if "path" in address:
        _transport, line = await loop.create_unix_connection(new_line, address["path"])
    else:
        is_secret = address.get("connection_class") is SSLConnection
        _transport, line = await loop.create_connection(
            new_line,
            address.get("host", "localhost"),
            address.get("port", 6379),
            ssl=ssl.create_default_context() if is_secret else None,
        )
    try:
        if password := address.get("password"):
            await line.ask(("AUTH", address.get("username") or "default", password))
        if database := address.get("db"):
            await line.ask(("SELECT", int(database)))
    except BaseException:
        line.drop()
        raise
    return line
