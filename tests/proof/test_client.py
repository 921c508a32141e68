"""What the client does with answers that come whole, in pieces, cut short, or not at all."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from proof.client import Client, NoAnswer

WHOLE = b'HTTP/1.1 201 Created\r\nETag: "1"\r\nContent-Length: 9\r\n\r\n{"a": 1}\n'


@contextmanager
def server(*pieces: bytes) -> Iterator[str]:
    """Sends these pieces to each client, then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)

        thread = Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


def call(url: str):
    return Client(url, timeout=60).call("POST", "/", {"b": 2})


@pytest.mark.parametrize("pieces", [(WHOLE,), tuple(bytes([byte]) for byte in WHOLE)])
def test_an_answer_may_come_in_any_pieces(pieces):
    with server(*pieces) as url:
        answer = call(url)

    assert (answer.status, answer.data, answer.header("etag")) == (201, {"a": 1}, '"1"')


@pytest.mark.parametrize(
    ("body", "kind", "content"),
    [({"b": 2}, b"json", b'{"b": 2}'), (b"b=2", b"x-www-form-urlencoded", b"b=2")],
)
def test_bytes_are_sent_as_a_form_and_all_else_as_json(body, kind, content):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = Client(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=60)
        client.send("POST", "/", body)
        connection, _ = listening.accept()
        with connection:
            sent = connection.recv(65536)
        client.close()

    assert b"Content-Type: application/" + kind + b"\r\n" in sent
    assert sent.endswith(b"Content-Length: %d\r\n\r\n" % len(content) + content)


def test_an_empty_answer_has_no_data():
    with server(b"HTTP/1.1 204 No Content\r\n\r\n") as url:
        answer = call(url)

    assert (answer.status, answer.data) == (204, {})


@pytest.mark.parametrize("piece", [b"", b"HTTP/1.1 201", WHOLE[:-1], b"nonsense\r\n\r\n"])
def test_what_is_cut_short_is_no_answer(piece):
    with server(piece) as url, pytest.raises(NoAnswer):
        call(url)


def test_silence_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(NoAnswer):
            Client(url, timeout=0.05).call("GET", "/")


def test_nobody_there_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(NoAnswer):
        Client(f"http://127.0.0.1:{port}").call("GET", "/")
