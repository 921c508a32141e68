"""The entry of the process that tells open pages what has changed, at `/events/`."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from docbook.wsgi import application as _sets_django_up

# isort: split
from django.conf import settings

from docbook.events.admission import Admission, Headers, Scope, admit
from docbook.events.announcer import Announcer
from docbook.events.channels import connected, listen
from docbook.events.hub import Hub, TooManyStreams
from docbook.events.streams import Send, write_stream

Receive = Callable[[], Awaitable[dict[str, Any]]]

__all__ = ["_sets_django_up", "application"]

_STREAM = re.compile("/events/doctors/[0-9]{1,18}/")
_NOT_NOW: Headers = [(b"retry-after", b"30"), (b"cache-control", b"no-store")]
ADMITTING_THREADS = 4


class Application:
    """One event loop, one connection to Redis for all streams, and a few threads that look whether
    somebody may listen. A stream itself keeps neither a thread nor a connection to the database.
    """

    def __init__(self) -> None:
        self._hub = Hub()
        self._doors = ThreadPoolExecutor(ADMITTING_THREADS, thread_name_prefix="admission")
        self._work: list[asyncio.Task[None]] = []
        self._hears_signals = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"] == "/healthz":
            await _answer(send, 200, [(b"content-type", b"application/json")], b'{"status": "ok"}')
        elif scope["method"] != "GET" or not _STREAM.fullmatch(scope["path"]):
            await _answer(send, 404, [])
        else:
            await self._stream(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._work = [
                    asyncio.create_task(listen(self._hub)),
                    asyncio.create_task(_announce()),
                ]
                await send({"type": "lifespan.startup.complete"})
            else:
                for each in self._work:
                    each.cancel()
                await asyncio.gather(*self._work, return_exceptions=True)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._end_streams_on_signals()
        if not self._hub.is_open:
            await _answer(send, 503, _NOT_NOW)
            return
        loop = asyncio.get_running_loop()
        admission = await loop.run_in_executor(self._doors, admit, scope)
        if not admission.is_granted:
            # A sign-in page is no answer to a stream.
            status = 401 if 300 <= admission.status < 400 else admission.status
            await _answer(
                send, status, [each for each in admission.headers if each[0] != b"location"]
            )
            return
        try:
            listener = self._hub.join(doctors=admission.doctors, person=admission.person)
        except TooManyStreams:
            await _answer(send, 503, _NOT_NOW)
            return
        try:
            await send(_start(200, _headers(admission)))
            writing = write_stream(
                send,
                listener=listener,
                hub=self._hub,
                since=_since(scope),
                seconds=settings.EVENTS_STREAM_SECONDS,
            )
            await _unless_gone(writing, receive)
        finally:
            self._hub.leave(listener)

    def _end_streams_on_signals(self) -> None:
        """The server waits for open streams when it is told to stop. It hears of a signal through
        the event loop, and a handler of Python's is called beside that; but the server sets its own
        after our startup.
        """
        if self._hears_signals:
            return
        self._hears_signals = True
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: loop.call_soon_threadsafe(self._hub.close))


async def _announce() -> None:
    async with connected() as redis:
        await Announcer().run(redis)


async def _unless_gone(writing: Any, receive: Receive) -> None:
    """Writes until the client has gone."""
    tasks = [asyncio.create_task(writing), asyncio.create_task(_gone(receive))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()
        for each in tasks:
            with suppress(asyncio.CancelledError):
                await each


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _since(scope: Scope) -> str:
    """The place that a browser names by itself when a stream has ended, or that the page names when
    it comes back into sight.
    """
    for name, value in scope["headers"]:
        if name == b"last-event-id":
            return bytes(value).decode("latin-1")
    query: bytes = scope["query_string"]
    return parse_qs(query.decode("latin-1")).get("since", [""])[0]


def _headers(admission: Admission) -> Headers:
    mine: Headers = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),  # nginx passes on what it gets at once
    ]
    named = {name for name, _value in mine}
    return [*mine, *(each for each in admission.headers if each[0] not in named)]


def _start(status: int, headers: Headers) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _answer(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    await send(_start(status, headers))
    await send({"type": "http.response.body", "body": body})


application = Application()
