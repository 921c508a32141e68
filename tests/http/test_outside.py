"""A file at an address that somebody typed: read from public machines only, and within bounds."""

import gzip
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from docbook.http import outside
from docbook.http.outside import Fetched, Marks, Unreachable, fetch, is_public, tidied
from tests.http.servers import bomb, dripping, endless, redirecting, saying, serving

MOST = 100_000


def read(address: str, *, known: Marks | None = None, seconds: float = 10) -> Fetched | None:
    return fetch(tidied(address), known=known or Marks(), most=MOST, seconds=seconds)


def refusal(address: str, *, seconds: float = 10) -> str:
    with pytest.raises(Unreachable) as refused:
        read(address, seconds=seconds)
    assert address.split("/")[2] not in str(refused.value)
    return refused.value.code


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """From now on every name stands for these; returns the connections that are tried."""
    tried: list[str] = []

    def asked(_host: str, port: int, **_given: object) -> list[tuple]:
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    def connect(address: tuple[str, int], **_given: object) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(outside.socket, "getaddrinfo", asked)
    monkeypatch.setattr(outside.socket, "create_connection", connect)
    return tried


@pytest.mark.parametrize(
    ("typed", "requested"),
    [
        (" webcal://Example.test/a.ics ", "https://example.test/a.ics"),
        ("https://example.test", "https://example.test/"),
        ("https://example.test:443/a?key=1%202#top", "https://example.test/a?key=1%202"),
        ("https://bücher.test/ä.ics", "https://xn--bcher-kva.test/%C3%A4.ics"),
    ],
)
def test_address_is_requested_in_one_way_of_writing(typed: str, requested: str) -> None:
    assert tidied(typed) == requested


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "bad-address"),
        ("calendar", "bad-address"),
        ("https://", "bad-address"),
        ("https://[::1", "bad-address"),
        ("https://a.test/\r\nHost: b", "bad-address"),
        ("https://a.test:port/", "bad-address"),
        ("https://" + "a" * 64 + ".test/", "bad-address"),
        ("https://a.test/" + "ä" * 1_000, "bad-address"),
        ("http://a.test/", "not-https"),
        ("ftp://a.test/", "not-https"),
        ("file:///etc/passwd", "bad-address"),
        ("https://user:word@a.test/", "address-with-password"),
        ("https://a.test:8443/", "other-port"),
        ("https://a.test:22/", "other-port"),
    ],
)
def test_address_that_is_never_requested(typed: str, code: str) -> None:
    with pytest.raises(Unreachable) as refused:
        tidied(typed)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "192.0.2.1"),
        *("198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "fec0::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
        *("64:ff9b:1::1", "::127.0.0.1", "2002:7f00:1::1", "2001:0:1::1", "2001:db8::1"),
    ],
)
def test_address_of_no_public_machine_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.OUTSIDE_ON_LOOPBACK = False
    assert not is_public(ip_address(address))
    tried = answers(monkeypatch, address)
    assert refusal("https://calendar.test/busy.ics") == "private-address"
    assert not tried


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_address_of_a_public_machine_is_connected_itself(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is not looked up again: its next answer could be another one."""
    tried = answers(monkeypatch, address)
    assert refusal("https://calendar.test/busy.ics") == "unreachable"
    assert tried == [address]


def test_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = answers(monkeypatch, "93.184.215.14", "10.0.0.1")
    assert refusal("https://calendar.test/busy.ics") == "private-address"
    assert not tried


def test_this_machine_is_read_only_where_that_is_allowed(settings: Any) -> None:
    with serving(saying(b"here")) as address:
        assert read(address) == Fetched(b"here", Marks())
        settings.OUTSIDE_ON_LOOPBACK = False
        assert refusal(address) == "not-https"
        port = address.split(":")[2].split("/")[0]
        settings.OUTSIDE_PORTS = [int(port)]
        assert refusal(f"https://localhost:{port}/") == "private-address"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "not-https"),
        ("https://169.254.169.254/latest/meta-data/", "private-address"),
        ("https://10.0.0.1/", "private-address"),
        ("https://[::ffff:10.0.0.1]/", "private-address"),
        ("https://192.168.0.1:22/", "other-port"),
        ("https://user:word@example.test/", "address-with-password"),
        ("file:///etc/passwd", "bad-address"),
        ("gopher://example.test/", "not-https"),
        ("", "refused"),
    ],
)
def test_every_redirect_is_checked_as_the_first_address(target: str, code: str) -> None:
    with serving(redirecting(target)) as address:
        assert refusal(address) == code


def test_redirects_are_followed_three_times() -> None:
    with serving(redirecting(lambda path: path + "x")) as address:
        assert refusal(address) == "too-many-redirects"
    with serving(saying(b"moved")) as new, serving(redirecting(new)) as address:
        assert read(address) == Fetched(b"moved", Marks())


def test_server_that_sends_a_byte_now_and_then_is_cut_off() -> None:
    over = threading.Event()
    with serving(dripping(over)) as address:
        assert refusal(address, seconds=0.5) == "too-slow"
        over.set()


def test_server_that_never_answers_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert refusal(address, seconds=0.3) == "too-slow"


def test_endless_file_is_refused() -> None:
    with serving(endless) as address:
        assert refusal(address) == "too-large"


def test_small_file_that_unpacks_to_a_large_one_is_refused() -> None:
    with serving(bomb()) as address:
        assert refusal(address) == "too-large"


def test_packed_file_is_unpacked() -> None:
    packed = gzip.compress(b"busy" * 1_000)
    with serving(saying(packed, Content_Encoding="gzip")) as address:
        found = read(address)
        assert found
        assert found.content == b"busy" * 1_000
    with serving(saying(packed[:-9], Content_Encoding="gzip")) as address:
        assert refusal(address) == "unreachable"
    with serving(saying(b"no gzip", Content_Encoding="gzip")) as address:
        assert refusal(address) == "unreachable"
    with serving(saying(packed, Content_Encoding="br")) as address:
        assert refusal(address) == "refused"


def test_file_that_was_cut_is_refused() -> None:
    def answer(handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with serving(answer) as address:
        assert refusal(address) == "unreachable"


@pytest.mark.parametrize(
    ("status", "code"), [(404, "not-there"), (401, "not-there"), (500, "refused"), (204, "refused")]
)
def test_answer_that_is_no_file_is_refused(status: int, code: str) -> None:
    with serving(saying(b"", status=status)) as address:
        assert refusal(address) == code


def test_words_that_are_no_http_are_refused() -> None:
    with serving(lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")) as address:
        assert refusal(address) == "unreachable"


def test_file_that_is_known_is_not_sent_again() -> None:
    marks = Marks('"one"', "Mon, 23 Nov 2026 06:00:00 GMT")

    def answer(handler) -> None:
        asked = handler.headers.get("If-None-Match"), handler.headers.get("If-Modified-Since")
        if asked == (marks.etag, marks.last_modified):
            saying(b"", status=304)(handler)
        else:
            saying(b"new", ETag=marks.etag, Last_Modified=marks.last_modified)(handler)

    with serving(answer) as address:
        assert read(address) == Fetched(b"new", marks)
        assert read(address, known=marks) is None


def test_mark_that_cannot_be_sent_back_is_dropped() -> None:
    with serving(saying(b"new", ETag="x" * 300)) as address:
        assert read(address) == Fetched(b"new", Marks())


def test_server_without_a_certificate_for_its_name_is_refused(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    context = _context_with_own_certificate(tmp_path)

    def answer() -> None:
        try:
            context.wrap_socket(server.accept()[0], server_side=True)
        except OSError:
            return

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    assert refusal(f"https://localhost:{server.getsockname()[1]}/") == "certificate"
    thread.join(5)
    server.close()


def _context_with_own_certificate(folder):
    """A certificate that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    file = folder / "server.pem"
    file.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
