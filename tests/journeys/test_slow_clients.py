"""The server itself, as `make run` starts it, and clients that send slowly or oddly."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from docbook.http.rate_policies import POLICIES
from tests.journeys.stack import Live

CROWD = 50
MOST_REFRESHES = POLICIES["refresh"].rate.most
SLOW_BODY = (
    b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nx"
)
SLOW_CHUNKS = b"POST /book/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx"
SLOW_HEADERS = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-"


def _connected(live: Live) -> socket.socket:
    parts = urlsplit(live.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def _answer(live: Live, request: bytes) -> str:
    """Everything that comes until the server closes."""
    with _connected(live) as connection:
        connection.sendall(request)
        return _rest(connection)


def _rest(connection: socket.socket) -> str:
    parts = iter(lambda: connection.recv(65536), b"")
    return b"".join(parts).decode("latin-1")


def _get(path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


@pytest.fixture
def crowd(live: Live) -> Iterator[list[socket.socket]]:
    """Clients that have begun a request and do not end it."""
    with ExitStack() as kept:
        clients = []
        for begun in (SLOW_BODY, SLOW_CHUNKS, SLOW_HEADERS):
            for _ in range(CROWD):
                client = kept.enter_context(_connected(live))
                client.sendall(begun)
                clients.append(client)
        yield clients


def test_nobody_waits_for_clients_that_send_slowly(live: Live, crowd) -> None:
    for path in ("/healthz", "/doctors/", "/api/v1/doctors"):
        assert _answer(live, _get(path)).startswith("HTTP/1.1 200")


def test_body_that_does_not_come_is_refused_in_the_form_of_its_door(live: Live) -> None:
    page = _answer(live, SLOW_BODY)
    api = _answer(live, SLOW_BODY.replace(b"/accounts/login/", b"/api/v1/auth/token"))
    assert page.startswith("HTTP/1.1 408")
    assert api.startswith("HTTP/1.1 408")
    assert '"code":"request-timeout"' in api.replace('": "', '":"')


def test_half_a_form_is_not_taken_for_a_whole_one(live: Live) -> None:
    """The line of a phone is cut in the middle of a form. The part that arrived would be a valid
    form too.
    """
    with _connected(live) as connection:
        connection.sendall(SLOW_BODY.replace(b"login/", b"password/reset/") + b"=1&email=a")
        connection.shutdown(socket.SHUT_WR)
        assert _rest(connection).startswith("HTTP/1.1 408")


FORM = (
    b"POST /accounts/password/reset/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize("kind", [b"application/x-www-form-urlencoded", b"multipart/form-data"])
@pytest.mark.parametrize("is_cut", [True, False])
def test_form_in_chunks_is_refused_because_a_cut_one_looks_whole(
    live: Live, kind: bytes, is_cut: bool
) -> None:
    with _connected(live) as connection:
        connection.sendall(FORM % kind + b"7\r\nemail=a\r\n")
        if is_cut:
            connection.shutdown(socket.SHUT_WR)
        else:
            connection.sendall(b"0\r\n\r\n")
        assert _rest(connection).startswith("HTTP/1.1 411")


def test_headers_that_do_not_come_end_the_connection(live: Live) -> None:
    assert "200" not in _answer(live, SLOW_HEADERS)


def test_body_that_is_too_long_is_refused_without_its_end(live: Live) -> None:
    head = b"POST /book/ HTTP/1.1\r\nHost: localhost\r\n"
    assert _answer(live, head + b"Content-Length: 900000000\r\n\r\nx").startswith("HTTP/1.1 413")
    chunks = b"Transfer-Encoding: chunked\r\n\r\n" + b"fff0\r\n%s\r\n" % (b"x" * 0xFFF0) * 6
    assert _answer(live, head + chunks).startswith("HTTP/1.1 413")


@pytest.mark.parametrize("is_chunked", [True, False])
def test_client_that_sends_too_much_sees_why_it_is_refused(live: Live, is_chunked: bool) -> None:
    body = b"x" * 5_000_000
    head = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    if is_chunked:
        sent = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    else:
        sent = head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    answer = _answer(live, sent)
    assert answer.startswith("HTTP/1.1 413")
    assert '"too-large"' in answer


@pytest.mark.parametrize("name", ["X_Forwarded_For", "x_forwarded_proto", "HTTP_HOST", "Host_"])
def test_header_with_an_underscore_is_no_header(live: Live, name: str) -> None:
    answer = _answer(live, _get("/healthz", "X-Forwarded-For: 192.0.2.1", f"{name}: evil.example"))
    assert answer.startswith("HTTP/1.1 200")
    assert "evil" not in _answer(live, _get("/accounts/login/", f"{name}: evil.example"))


def test_forwarded_address_with_an_underscore_escapes_no_limit(live: Live) -> None:
    body = b"{}"
    head = "POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    last = ""
    for number in range(11):
        fields = f"X-Forwarded-For: 192.0.2.77\r\nX_Forwarded_For: 198.51.100.{number}\r\n"
        fields += "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
        last = _answer(live, (head + fields).encode() + body)
    assert last.startswith("HTTP/1.1 429")


def test_forwarded_address_with_bytes_beyond_ascii_escapes_no_limit(live: Live) -> None:
    """Granian drops the whole header. Then the client is counted as the proxy, with everybody who
    does the same; its own entries count for nothing.
    """
    head = b"POST /api/v1/auth/token/refresh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += b"Content-Type: application/json\r\nContent-Length: 2\r\nX-Forwarded-For: "
    odd, last = (b"\xe9%d, 192.0.2.88", b"198.51.100.%d\x80", b"\xff%d"), ""
    for number in range(MOST_REFRESHES + 1):
        last = _answer(live, head + odd[number % 3] % number + b"\r\n\r\n{}")
    assert last.startswith("HTTP/1.1 429")


def test_chunked_body_and_a_body_that_waits_to_be_asked_for_arrive_whole(live: Live) -> None:
    head = "POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += "Content-Type: application/json\r\n"
    chunked = head + 'Transfer-Encoding: chunked\r\n\r\n4\r\n{"od\r\n6\r\nd": 1}\r\n0\r\n\r\n'
    assert '"/odd"' in _answer(live, chunked.encode())
    with _connected(live) as connection:
        connection.sendall((head + "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n").encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(b'{"odd": 1}')
        assert '"/odd"' in _rest(connection)


def test_requests_in_one_go_are_answered_in_their_order(live: Live) -> None:
    both = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + _get("/nowhere")
    answer = _answer(live, both)
    assert answer.index("HTTP/1.1 200") < answer.index("HTTP/1.1 404")


def test_head_has_the_length_of_the_page_and_no_body(live: Live) -> None:
    answer = _answer(live, _get("/static/css/core.css").replace(b"GET", b"HEAD", 1))
    assert answer.startswith("HTTP/1.1 200")
    assert answer.endswith("\r\n\r\n")


def test_odd_bytes_in_an_address_are_an_unknown_address(live: Live) -> None:
    assert _answer(live, _get("/%ff%fe/")).startswith("HTTP/1.1 404")
