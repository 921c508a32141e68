"""One connection to Redis for all fibers of an event loop: nobody waits for another one's answer
before asking.

The client library has no such connection. Its own asks and waits for each answer in turn, and takes
longer than Redis does. It still reads our address, and its parser reads what Redis says.
"""

import asyncio
import ssl
from collections import deque
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

    async def ask(self, *command: str | int) -> Any:
        """Raises RedisError."""
        line, answer = self._line, None
        try:
            async with asyncio.timeout(self._seconds):
                if line is None or line.has_ended:
                    line = await self._connect()
                answer = line.ask(command)
                return await answer
        except TimeoutError as error:
            # A process with much to do may look at its clock before it looks at what has come.
            if answer and answer.done() and not answer.cancelled() and not answer.exception():
                return answer.result()
            if line:
                line.drop()
            raise TooLate("Redis does not answer") from error
        except OSError as error:
            raise Unreachable(str(error)) from error

    async def _connect(self) -> "_Line":
        async with self._connecting:
            if self._line is None or self._line.has_ended:
                self._line = await _connected(self._address)
        return self._line


class _Line(asyncio.Protocol):
    def __init__(self) -> None:
        self.has_ended = False
        self._reader = hiredis.Reader()
        self._asked: deque[asyncio.Future[Any]] = deque()
        self._transport: Any = None

    def ask(self, command: tuple[str | int, ...]) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.has_ended:
            answer.set_exception(Unreachable("the line has ended"))
            return answer
        self._asked.append(answer)
        packed: Any = command  # hiredis takes any number of parts, whatever its types say
        self._transport.write(hiredis.pack_command(packed))
        return answer

    def drop(self) -> None:
        self.has_ended = True
        self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
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
        self.has_ended = True
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(Unreachable("Redis has closed the line"))
        self._asked.clear()


def _error(words: str) -> RedisError:
    return NoScriptError(words) if words.startswith("NOSCRIPT") else ResponseError(words)


async def _connected(address: dict[str, Any]) -> _Line:
    loop = asyncio.get_running_loop()
    if "path" in address:
        _, line = await loop.create_unix_connection(_Line, address["path"])
    else:
        is_secret = address.get("connection_class") is SSLConnection
        _, line = await loop.create_connection(
            _Line,
            address.get("host", "localhost"),
            address.get("port", 6379),
            ssl=ssl.create_default_context() if is_secret else None,
        )
    if password := address.get("password"):
        await line.ask(("AUTH", address.get("username") or "default", password))
    if database := address.get("db"):
        await line.ask(("SELECT", int(database)))
    return line
