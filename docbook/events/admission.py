"""Asks the guards of the pages whether this browser may listen: the same session, second factor and
rule, because it is the same code.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from docbook.http.htmx import BY_ITSELF
from docbook.wsgi import application as wsgi

Scope = dict[str, Any]
Headers = list[tuple[bytes, bytes]]

# Headers that the guards read. The rest is left out.
_READ = {
    b"host",
    b"cookie",
    b"user-agent",
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-request-id",
}
_OF_A_BODY = {"content-type", "content-length"}


@dataclass(frozen=True)
class Admission:
    """`status` is 204 for those who may listen. `headers` are what every answer of ours has."""

    status: int
    headers: Headers
    person: int = 0
    doctors: frozenset[int] = frozenset()

    @property
    def is_granted(self) -> bool:
        return self.status == 204 and bool(self.doctors)


def admit(scope: Scope) -> Admission:
    """Blocks: call it in a thread. It gives back its connection to the database."""
    found: list[tuple[str, list[tuple[str, str]]]] = []

    def start(line: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        found.append((line, headers))

    response: Any = wsgi(_environ(scope), start)  # type: ignore[arg-type]  # Django never writes
    try:
        [(line, headers)] = found
        kept = [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in headers
            if name.lower() not in _OF_A_BODY
        ]
        listener = getattr(response, "listener", None)
        if listener is None:
            return Admission(int(line[:3]), kept)
        return Admission(int(line[:3]), kept, listener.person, frozenset(listener.doctors))
    finally:
        response.close()


def _environ(scope: Scope) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333), marked as one that nobody has pressed a button for."""
    client = scope.get("client") or ("", 0)
    server = scope.get("server") or ("localhost", 80)
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": str(client[0]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": BytesIO(),
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        f"HTTP_{BY_ITSELF.upper().replace('-', '_')}": "1",
    }
    for name, value in scope["headers"]:
        if name in _READ:
            key = f"HTTP_{name.decode().upper().replace('-', '_')}"
            separator = "; " if name == b"cookie" else ","
            said = value.decode("latin-1")
            environ[key] = f"{environ[key]}{separator}{said}" if key in environ else said
    return environ
