"""Reads a file at an address that somebody typed: over https, from a public machine, and bounded.

The name of an address is looked up once, and the connection goes to an address that was checked. So
no name can lead to a machine of our own network, however often its answer changes. TLS still proves
the name. Redirects are followed by the same rules. Time, size and redirects have limits; the time
is that of the whole reading, since a server may send one byte after the other.
"""

import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Timer
from time import monotonic
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.conf import settings

LONGEST_ADDRESS = 2_000
LONGEST_MARK = 200
MOST_REDIRECTS = 3
CHUNK = 64 * 1024
DEFAULT_PORTS = {"https": 443, "http": 80}
REDIRECTS = (301, 302, 303, 307, 308)
# RFC 6052: an address of IPv4 in its last 32 bits.
NAT64 = IPv6Network("64:ff9b::/96")
GLOBAL_UNICAST = IPv6Network("2000::/3")
# Both carry an address of IPv4, and lead to a relay that anybody may run.
TUNNELS = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))
SAFE_IN_PATHS = "/%:@!$&'()*+,;=-._~?"


class Unreachable(Exception):
    """Nothing was read. `code` is one of doctors.calendar_troubles, and holds no part of the
    address.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Marks:
    """What a server says about the version of a file, for the next conditional request."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Fetched:
    content: bytes
    marks: Marks


def tidied(address: str) -> str:
    """The address as it is requested: webcal:// is https://, and nothing follows a #. Raises
    Unreachable for one that is never requested.
    """
    text = address.strip()
    head, colon, rest = text.partition("://")
    if colon and head.lower() in ("webcal", "webcals"):
        text = f"https://{rest}"
    parts = _parts_of(text)
    host, port = _host_of(parts), _port_of(parts)
    place = f"[{host}]" if ":" in host else host
    default = DEFAULT_PORTS[parts.scheme]
    query = f"?{quote(parts.query, safe=SAFE_IN_PATHS)}" if parts.query else ""
    path = quote(parts.path or "/", safe=SAFE_IN_PATHS)
    found = f"{parts.scheme}://{place}{'' if port == default else f':{port}'}{path}{query}"
    if len(found) > LONGEST_ADDRESS:
        raise Unreachable("bad-address")
    return found


def fetch(address: str, *, known: Marks, most: int, seconds: float) -> Fetched | None:
    """The file of at most `most` bytes at an address from `tidied`; None if it is still the one
    with the marks `known`. Raises Unreachable, after `seconds` at the latest.
    """
    deadline = monotonic() + seconds
    for _hop in range(MOST_REDIRECTS + 1):
        parts = urlsplit(address)
        with _answer_of(parts, known=known, deadline=deadline) as answer:
            if answer.status not in REDIRECTS:
                return _fetched(answer, most=most)
            target = answer.headers.get("Location", "")
        address = _next_address(parts, target)
    raise Unreachable("too-many-redirects")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it belongs to a machine of the public internet, and to no network of our own."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in GLOBAL_UNICAST or any(address in tunnel for tunnel in TUNNELS):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _parts_of(text: str) -> SplitResult:
    if len(text) > LONGEST_ADDRESS or any(ord(each) <= 32 or ord(each) == 127 for each in text):
        raise Unreachable("bad-address")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise Unreachable("bad-address") from error
    if not parts.netloc:
        raise Unreachable("bad-address")
    if "@" in parts.netloc:
        raise Unreachable("address-with-password")
    if parts.scheme not in ("https", "http"):
        raise Unreachable("not-https")
    return parts


def _host_of(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if parts.scheme != "https" and not _is_this_machine(host):
        raise Unreachable("not-https")
    try:
        return host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise Unreachable("bad-address") from error


def _port_of(parts: SplitResult) -> int:
    try:
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except ValueError as error:
        raise Unreachable("bad-address") from error
    if port not in settings.OUTSIDE_PORTS and not _is_this_machine(parts.hostname or ""):
        raise Unreachable("other-port")
    return port


def _is_this_machine(host: str) -> bool:
    """Only where development or a test allows it."""
    return settings.OUTSIDE_ON_LOOPBACK and host in ("localhost", "127.0.0.1", "::1")


def _next_address(parts: SplitResult, target: str) -> str:
    if not target:
        raise Unreachable("refused")
    found = tidied(urljoin(parts.geturl(), target))
    if parts.scheme == "https" and not found.startswith("https:"):
        raise Unreachable("not-https")
    return found


@contextmanager
def _answer_of(parts: SplitResult, *, known: Marks, deadline: float) -> Iterator[HTTPResponse]:
    """The answer, whose content is still to be read. Every error inside becomes Unreachable."""
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    with _connected(parts, deadline=deadline) as (connection, is_late):
        try:
            connection.request("GET", path, headers=_headers(known))
            with closing(connection.getresponse()) as answer:
                yield answer
        except (OSError, HTTPException, ValueError, zlib.error) as error:
            raise Unreachable("too-slow" if is_late() else "unreachable") from error
        if is_late():  # an answer without a length ends where its connection does
            raise Unreachable("too-slow")


def _headers(known: Marks) -> Mapping[str, str]:
    marks = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {
        "Accept": "text/calendar, */*;q=0.1",
        "Accept-Encoding": "gzip",
        "User-Agent": "DocBook (reads a calendar)",
        "Connection": "close",
    } | {name: value for name, value in marks.items() if value}


@contextmanager
def _connected(
    parts: SplitResult, *, deadline: float
) -> Iterator[tuple[HTTPConnection, "_IsLate"]]:
    """A connection to a checked address. When the time is over, a timer cuts it."""
    host, port = _host_of(parts), _port_of(parts)
    plain = _plain_socket(_addresses_of(host, port, deadline=deadline), deadline=deadline)
    is_late = _IsLate(plain)
    timer = Timer(max(0.0, deadline - monotonic()), is_late.cut)
    timer.daemon = True
    timer.start()
    connection = HTTPConnection(host, port)
    connection.default_port = DEFAULT_PORTS[parts.scheme]
    try:
        connection.sock = _secured(plain, host=host, is_late=is_late, by=parts.scheme)
        yield connection, is_late
    finally:
        timer.cancel()
        connection.close()
        is_late.close()


class _IsLate:
    """Whether the connection was cut because the time is over."""

    def __init__(self, sock: socket.socket) -> None:
        # Another number for the same connection: TLS takes the first one over.
        self._sock = sock.dup()
        self._late = False

    def __call__(self) -> bool:
        return self._late

    def cut(self) -> None:
        self._late = True
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was faster

    def close(self) -> None:
        self._sock.close()


def _secured(plain: socket.socket, *, host: str, is_late: _IsLate, by: str) -> socket.socket:
    if by != "https":
        return plain
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except OSError as error:  # also those of ssl
        plain.close()
        code = "certificate" if isinstance(error, ssl.SSLCertVerificationError) else "unreachable"
        raise Unreachable("too-slow" if is_late() else code) from error


def _plain_socket(addresses: list[tuple[str, int]], *, deadline: float) -> socket.socket:
    """A connection to the first of these checked addresses and ports that answers."""
    for address, port in addresses:
        left = deadline - monotonic()
        if left <= 0:
            raise Unreachable("too-slow")
        try:
            found = socket.create_connection((address, port), timeout=left)
        except OSError:  # also when the time is over
            continue
        return found
    raise Unreachable("too-slow" if deadline <= monotonic() else "unreachable")


def _addresses_of(host: str, port: int, *, deadline: float) -> list[tuple[str, int]]:
    """What the name stands for now. Raises Unreachable if any of it is not public."""
    pool = ThreadPoolExecutor(max_workers=1)  # a resolver has no time limit of its own
    try:
        asked = pool.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        rows = asked.result(timeout=max(0.0, deadline - monotonic()))
    except TooLate as error:
        raise Unreachable("too-slow") from error
    except (OSError, UnicodeError) as error:
        raise Unreachable("unknown-host") from error
    finally:
        pool.shutdown(wait=False)
    found = list(dict.fromkeys(str(row[4][0]) for row in rows))
    if not found:
        raise Unreachable("unknown-host")
    for each in found:
        address = ip_address(each.partition("%")[0])
        if not (is_public(address) or (settings.OUTSIDE_ON_LOOPBACK and address.is_loopback)):
            raise Unreachable("private-address")
    return [(each, port) for each in found]


def _fetched(answer: HTTPResponse, *, most: int) -> Fetched | None:
    if answer.status == 304:
        return None
    if answer.status in (401, 403, 404, 410):
        raise Unreachable("not-there")
    if answer.status != 200:
        raise Unreachable("refused")
    marks = Marks(_mark(answer, "ETag"), _mark(answer, "Last-Modified"))
    return Fetched(_content_of(answer, most=most), marks)


def _mark(answer: HTTPResponse, name: str) -> str:
    """Empty for one that cannot be sent back."""
    value = answer.headers.get(name, "")
    return value if len(value) <= LONGEST_MARK and value.isascii() and value.isprintable() else ""


def _content_of(answer: HTTPResponse, *, most: int) -> bytes:
    coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip", ""):
        raise Unreachable("refused")
    # The size counts when it is unpacked: a thousandth of it may have been sent.
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in coding else None
    content, sent = bytearray(), 0
    while chunk := answer.read1(CHUNK):
        sent += len(chunk)
        content += unpack.decompress(chunk, most + 1 - len(content)) if unpack else chunk
        if len(content) > most or sent > most:
            raise Unreachable("too-large")
    if answer.length or (unpack and not unpack.eof):  # the line was cut
        raise Unreachable("unreachable")
    return bytes(content)
