"""The entry point of web processes: a slow sender keeps no thread busy.

Granian gives a WSGI application its thread as soon as the headers are there. The thread then waits
for the body as long as the client likes, and twenty such clients stop the server for all. Here the
event loop reads the body, within a size and a time, and only whole requests get a thread.
"""

import asyncio
import gc
import json
import os
import re
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docbook.settings.prod")

import structlog
from django.urls import get_resolver

from docbook import fibers, shared_calls
from docbook.http.limits import BODY_SECONDS, LATE, THROWN_AWAY, most_of_body
from docbook.observability import request_id
from docbook.pace import Pace
from docbook.passing_on import PassingOn
from docbook.waiting_line import WaitingLine
from docbook.wsgi import application as wsgi

if TYPE_CHECKING:
    from docbook.http.hot_calls import HotCall

log = structlog.get_logger(__name__)

THREADS = 8
# Holds and confirmations by the API, which are most of the work in a rush. They run in fibers.
_HOLD = "/api/v1/bookings"
_CODE = re.compile(f"{_HOLD}/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})/verify-otp")


class Scope(Protocol):
    """What RSGI says about a request (granian.rsgi.Scope)."""

    http_version: str
    server: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    headers: Any


class Connection(Protocol):
    """How RSGI reads a body and answers (granian.rsgi.HTTPProtocol)."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class Server:
    """The WSGI application behind threads that only whole requests reach."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self._refused = 0  # in the last second
        self._passing_on = PassingOn()
        # The health check answers even while all other threads are busy.
        self._reserved = ThreadPoolExecutor(1, thread_name_prefix="health")

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Granian calls it once in each process, before the first request."""
        from docbook.http.hot_calls import HotCall  # needs Django's apps  # noqa: PLC0415

        loop.set_default_executor(self._threads)  # what fibers leave to threads
        _ = get_resolver().url_patterns  # loads every view
        self._hold = HotCall(_HOLD)
        self._confirm = HotCall(f"{_HOLD}/{UUID(int=0)}/verify-otp")
        self._line, self._pace = WaitingLine(), Pace()
        _keep_collections_short()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Granian calls it once, after the last request."""
        shared_calls.end(loop)

    async def __rsgi__(self, scope: Scope, connection: Connection) -> None:
        hot = self._hot(scope)
        # Before anything of it is read: to refuse must cost next to nothing.
        if hot and self._line.refuses(finishes=hot[0] is self._confirm):
            self._refuse(connection)
            return
        if self._passing_on.takes(scope):
            await self._passing_on.answer(scope, connection)
            return
        environ = environ_of(scope)
        if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
            await _take_body(environ, connection)
        if hot:
            await self._in_line(*hot, environ=environ, connection=connection)
        else:
            threads = self._reserved if scope.path == "/healthz" else self._threads
            await self._in_a_thread(threads, environ, connection)

    def _hot(self, scope: Scope) -> tuple["HotCall", dict[str, Any]] | None:
        """The call, and what its view takes from the address; None for all other requests."""
        if scope.method != "POST" or not scope.path.startswith(_HOLD):
            return None
        if scope.path == _HOLD:
            return self._hold, {}
        found = _CODE.fullmatch(scope.path)
        return (self._confirm, {"booking_id": UUID(found[1])}) if found else None

    async def _in_line(
        self,
        call: "HotCall",
        place: dict[str, Any],
        *,
        environ: dict[str, Any],
        connection: Connection,
    ) -> None:
        """In a fiber, or the ordinary way in a thread. All of these calls wait in line."""
        if not await self._line.enter(finishes=call is self._confirm):
            self._refuse(connection)
            return
        try:
            await self._pace.join_group()
            answer = await fibers.run(lambda: call.answer(environ, place))
            if answer is None:
                await self._in_a_thread(self._threads, environ, connection)
            else:
                connection.response_bytes(*answer)
        finally:
            self._line.leave()

    async def _in_a_thread(
        self, threads: ThreadPoolExecutor, environ: dict[str, Any], connection: Connection
    ) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(threads, _answer, environ, connection)

    def _refuse(self, connection: Connection) -> None:
        """The log gets one line for all of a second: a line for each would cost more than the
        refusal.
        """
        _tell_to_come_back(connection)
        if not self._refused:
            asyncio.get_running_loop().call_later(1.0, self._log_refusals)
        self._refused += 1

    def _log_refusals(self) -> None:
        log.warning("refused_while_busy", requests=self._refused)
        self._refused = 0


def _tell_to_come_back(connection: Connection) -> None:
    from docbook.http import problems  # needs Django's apps  # noqa: PLC0415

    rid = request_id.from_header(None)
    headers = [
        ("Content-Type", problems.CONTENT_TYPE),
        ("Cache-Control", "no-store"),
        ("Retry-After", "1"),
        (request_id.HEADER, rid),
    ]
    body = json.dumps(problems.body("unavailable", instance=rid))
    connection.response_bytes(503, headers, body.encode())


def _keep_collections_short() -> None:
    """Python's garbage collector looks at all objects of the program again and again. Each look
    stops all threads for 100 ms, and they took a tenth of the time of a doctor's page. What is
    loaded now stays, so the collector need not look at it. A page makes thousands of objects, but
    reference counts free nearly all of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def environ_of(scope: Scope) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333), without its body.

    A header with an underscore in its name is dropped. As a variable it would look like the one
    with hyphens, which a proxy has written.
    """
    client, server = scope.client.rpartition(":"), scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[2],
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" not in name:
            _add_header(environ, name.upper().replace("-", "_"), value)
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
    if key in environ:
        value = f"{environ[key]}{'; ' if name == 'COOKIE' else ','}{value}"
    environ[key] = value


async def _take_body(environ: dict[str, Any], connection: Connection) -> None:
    """Reads the body into the request. A body that is too long or too late is left out, and the
    request is marked. It is then refused in the format of its door.

    A body that is too long is read for a while longer and thrown away. A client that is still
    sending when the connection ends would not see why.
    """
    length, most = environ.get("CONTENT_LENGTH", ""), most_of_body(environ["PATH_INFO"])
    said = int(length) if length.isdigit() else 0
    if said > THROWN_AWAY:
        return
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in connection:
                size += len(chunk)
                if size <= most:
                    body += chunk
                elif size > THROWN_AWAY:
                    break
    except TimeoutError:
        environ[LATE] = size <= most
        environ["CONTENT_LENGTH"] = str(max(size, said))
        return
    if size < said:  # the line was cut: half a form must not count as a whole one
        environ[LATE] = True
        environ["CONTENT_LENGTH"] = str(said)
        return
    environ["CONTENT_LENGTH"] = str(size)
    environ["wsgi.input"] = BytesIO(body if size <= most else b"")


def _answer(environ: dict[str, Any], connection: Connection) -> None:
    status, headers = 500, [("Content-Type", "text/plain")]

    def start(line: str, fields: list[tuple[str, str]], _error: object = None) -> None:
        nonlocal status, headers
        status, headers = int(line[:3]), fields

    body = _whole(wsgi(environ, start))  # type: ignore[arg-type]  # Django never writes
    connection.response_bytes(status, headers, body)


# Python 3.11 keeps frames in pieces of 16 kB. If calls cross the end of a piece again and again, it
# is mapped and unmapped each time. That can take a third of a page's time, depending on the stack's
# depth. A frame that asks for much memory gets a piece with room for all its calls.
_answer.__code__ = _answer.__code__.replace(co_stacksize=33_000)


def _whole(chunks: Iterable[bytes]) -> bytes:
    """Returns the whole answer at once: a client that reads slowly keeps no thread either."""
    try:
        return b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close:
            close()


application = Server()
