"""Loopback ports: free ones and taken ones."""

import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress

from devstack.refusals import Refusal

LOOPBACK = "127.0.0.1"
_SELDOM_USED = range(15_000, 32_000)


def free_port() -> int:
    """A port below those that systems give to outgoing connections. One of those could be gone by
    the time a program binds it.
    """
    while True:
        port = secrets.choice(_SELDOM_USED)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port


def address(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def answers(port: int, *, host: str = LOOPBACK) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def web_port(environment: Mapping[str, str] = os.environ) -> int:
    text = environment.get("PORT", "") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Refusal(f"PORT={text} is not a port: choose a number from 1 to 65535.")
    return int(text)


def require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError as error:
            raise Refusal(f"Port {port} needs root: choose one from 1024 up.") from error
        except OSError as error:
            raise Refusal(
                f"Port {port} is taken by another program: choose a free one, "
                f"for example with: make run PORT={free_port()}"
            ) from error
