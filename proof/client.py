"""JSON or a form over HTTP/1.1 on one open socket: cheap enough to share the machine.

Sending a request and reading its answer are separate calls, so one process can have hundreds of
requests under way.
"""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 15.0
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"


class NoAnswer(Exception):
    """Timed out, reset, or cut short: nobody knows whether the request had its effect."""


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.body)) if self.body else {}

    def header(self, name: str) -> str:
        """The header's value, or an empty text."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return ""


class Client:
    """One connection to the API at `url`, opened when needed and again after a failure."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.timeout = timeout
        self._host = f"Host: {self.host}:{self.port}\r\n"
        self._socket: socket.socket | None = None
        self._read = b""

    def call(
        self, method: str, path: str, body: object = None, *, headers: str = "", timeout: float = 0
    ) -> Answer:
        """Sends and waits. `headers` are whole lines, each with its line end. A body of bytes is an
        encoded form; any other is sent as JSON. Raises NoAnswer.
        """
        self.send(method, path, body, headers=headers, timeout=timeout)
        return self.receive()

    def send(
        self, method: str, path: str, body: object = None, *, headers: str = "", timeout: float = 0
    ) -> None:
        kind, content = _encoded(body)
        head = f"{method} {path} HTTP/1.1\r\n{self._host}{headers}"
        if content:
            head += f"Content-Type: application/{kind}\r\nContent-Length: {len(content)}\r\n"
        elif method != "GET":
            head += "Content-Length: 0\r\n"
        try:
            connection = self.connect()
            if timeout or connection.gettimeout() != self.timeout:
                connection.settimeout(timeout or self.timeout)
            connection.sendall(head.encode() + b"\r\n" + content)
        except OSError as error:
            self.close()
            raise NoAnswer from error

    def receive(self) -> Answer:
        """The next answer on this connection. Raises NoAnswer."""
        while (answer := self.read()) is None:
            pass
        return answer

    def read(self) -> Answer | None:
        """Reads once, without waiting if a selector says that there is something to read. None
        while a part of the answer is missing. Raises NoAnswer.
        """
        try:
            self._read_more()
            answer = self._whole_answer()
        except (OSError, ValueError) as error:
            self.close()
            raise NoAnswer from error
        if answer is not None and b"\r\nconnection: close" in answer.head.lower():
            self.close()
        return answer

    def connect(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection((self.host, self.port), timeout=self.timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket, self._read = None, b""

    def _whole_answer(self) -> Answer | None:
        """As long as its header says. DocBook never sends chunks."""
        end = self._read.find(_END_OF_HEAD)
        if end < 0:
            return None
        head, begin = self._read[:end], end + len(_END_OF_HEAD)
        length = _length_of(head)
        if len(self._read) < begin + length:
            return None
        body, self._read = self._read[begin : begin + length], self._read[begin + length :]
        return Answer(int(head[9:12]), head, body)

    def _read_more(self) -> None:
        if self._socket is None:
            raise ConnectionResetError
        more = self._socket.recv(65536)
        if not more:
            raise ConnectionResetError
        self._read += more


def _encoded(body: object) -> tuple[str, bytes]:
    """The kind of the content, and the content; empty without a body."""
    if isinstance(body, bytes):
        return "x-www-form-urlencoded", body
    return "json", b"" if body is None else json.dumps(body).encode()


def _length_of(head: bytes) -> int:
    _, found, rest = head.lower().partition(_LENGTH)
    return int(rest.partition(b"\r\n")[0]) if found else 0


def headers_of(*, token: str, address: str, key: str = "") -> str:
    """The lines that say who asks, from which address, and which request this is."""
    lines = f"Authorization: Bearer {token}\r\nX-Forwarded-For: {address}\r\n"
    return f"{lines}Idempotency-Key: {key}\r\n" if key else lines
