"""A server on this machine that imitates an SMS provider: its requests, and its answers."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl

from devstack.ports import LOOPBACK

TAKEN = (201, {"sid": "SM1", "status": "queued"})


@dataclass(frozen=True)
class Asked:
    path: str
    login: str
    form: dict[str, str]


class Provider:
    """`answer` gets each request. It may also break the connection by raising."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], tuple[int, dict[str, object]]] = lambda _asked: TAKEN
        self.port = 0

    @property
    def url(self) -> str:
        return f"twilio+http://AC123:pa%2Fss@{LOOPBACK}:{self.port}?from=%2B31970000000"


@contextmanager
def provider_on_loopback() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            login = b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
            asked = Asked(self.path, login, dict(parse_qsl(body)))
            provider.asked.append(asked)
            try:
                status, content = provider.answer(asked)
            except ConnectionAbortedError:
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if 300 <= status < 400:
                self.send_header("Location", f"http://{LOOPBACK}:{provider.port}/elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_args: object) -> None:
            """The server's own log is not ours."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    provider.port = server.server_port
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
