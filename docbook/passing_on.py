"""Passes streams on from the process that tells of changes: pages then have one address for all.

A proxy in front may lead `/events/` there itself, and spare web processes the connections.
"""

import asyncio
import signal
from contextlib import suppress
from typing import Any

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

PATH = "/events/"
CONNECT_SECONDS, HEAD_SECONDS = 2.0, 10.0
# Of each web process. Others are told that there is no stream now, and their pages look by
# themselves.
MOST_STREAMS = 500

_PASSED = {
    "host",
    "cookie",
    "user-agent",
    "last-event-id",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-request-id",
}
_OF_THE_LINE = {"connection", "transfer-encoding", "keep-alive", "server", "date"}

Headers = list[tuple[str, str]]


class PassingOn:
    """Streams, each a task on the event loop; they keep no thread."""

    def __init__(self) -> None:
        self._streams: set[asyncio.Task[None]] = set()
        self._hears_signals = False

    def takes(self, scope: Any) -> bool:
        """Whether this is a request for a stream that another process writes."""
        is_asked = scope.method == "GET" and scope.path.startswith(PATH)
        return bool(is_asked and settings.EVENTS_ADDRESS)

    async def answer(self, scope: Any, connection: Any) -> None:
        self._end_on_signals()
        if len(self._streams) >= MOST_STREAMS:
            _refuse(connection)
            return
        task = asyncio.create_task(_pass(scope, connection))
        gone = asyncio.ensure_future(connection.client_disconnect())
        self._streams.add(task)
        try:
            await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._streams.discard(task)
            task.cancel()
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _end_on_signals(self) -> None:
        """The server waits for open streams when it is told to stop, but the pages can wait. The
        server's own handlers stay: they are called through the event loop, beside these.
        """
        if self._hears_signals:
            return
        self._hears_signals = True
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: loop.call_soon_threadsafe(self._end))

    def _end(self) -> None:
        for each in self._streams:
            each.cancel()


async def _pass(scope: Any, connection: Any) -> None:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            host, _, port = settings.EVENTS_ADDRESS.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError):
        _refuse(connection)
        return
    try:
        writer.write(_request(scope))
        await _answer(reader, connection)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, connection: Any) -> None:
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            status, headers = _head(await reader.readuntil(b"\r\n\r\n"))
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        _refuse(connection)
        return
    if status != 200:
        connection.response_empty(status, headers)
        return
    stream = connection.response_stream(status, headers)
    # Granian's ProtocolClosed is a RuntimeError: the client has gone while we were sending.
    with suppress(OSError, RuntimeError):
        while chunk := await reader.read(65_536):
            await stream.send_bytes(chunk)


def _request(scope: Any) -> bytes:
    """In HTTP/1.0 the answer ends with the line, and comes in no other pieces than were written."""
    query = f"?{scope.query_string}" if scope.query_string else ""
    lines = [f"GET {scope.path}{query} HTTP/1.0"]
    lines += [f"{name}: {value}" for name, value in scope.headers.items() if name in _PASSED]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _head(text: bytes) -> tuple[int, Headers]:
    first, *lines = text.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = [(name.lower(), value.strip()) for name, _, value in pairs]
    return int(first.split(" ")[1]), [each for each in headers if each[0] not in _OF_THE_LINE]


def _refuse(connection: Any) -> None:
    connection.response_empty(503, [("retry-after", "30"), ("cache-control", "no-store")])
