"""Servers that somebody else runs: DATABASE_URL, REDIS_URL and EMAIL_URL. We only wait for them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import redis

from devstack.console import report
from devstack.interrupts import Interrupts
from devstack.ports import answers
from devstack.refusals import Refusal

PATIENCE = 30.0


@dataclass(frozen=True)
class Outside:
    """A kind of server, its variable, and a function that names what is wrong with it ("" for
    nothing).
    """

    label: str
    variable: str
    fault: Callable[[str], str]
    schemes: frozenset[str]

    @property
    def url(self) -> str:
        return os.environ.get(self.variable, "")

    @property
    def place(self) -> str:
        """Host and port, without the password."""
        return urlsplit(self.url).netloc.rpartition("@")[2] or "this machine"

    def is_given(self) -> bool:
        return bool(self.url)

    def wait(self, *, interrupts: Interrupts, patience: float = PATIENCE) -> None:
        """Returns once the server answers. Raises Refusal with its last words if it does not.

        An address of another kind is refused at once and not shown: it may hold a password.
        """
        if urlsplit(self.url).scheme not in self.schemes:
            kinds = " or ".join(f"{scheme}://" for scheme in sorted(self.schemes))
            raise Refusal(f"{self.variable} must begin with {kinds}.")
        if not (fault := self.fault(self.url)):
            return
        report(self.label, f"waiting for {self.place} ({self.variable}): {fault}")
        if not interrupts.wait_until(lambda: not self.fault(self.url), timeout=patience):
            raise Refusal(
                f"{self.label} at {self.place} ({self.variable}) does not answer: "
                f"{self.fault(self.url) or fault}. Unset {self.variable} to have one started here."
            )


def _database_fault(url: str) -> str:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error as error:
        return _first_line(error)
    return ""


def _redis_fault(url: str) -> str:
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return _first_line(error)
    return ""


def _mail_fault(url: str) -> str:
    return _tcp_fault(url, default_port=25)


def _tcp_fault(url: str, *, default_port: int) -> str:
    parts = urlsplit(url)
    reached = answers(parts.port or default_port, host=parts.hostname or "localhost")
    return "" if reached else "nothing listens there"


def _first_line(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return first.rpartition("failed: ")[2]  # psycopg repeats address and failure for each try


DATABASE = Outside(
    "PostgreSQL", "DATABASE_URL", _database_fault, frozenset({"postgresql", "postgres"})
)
REDIS = Outside("Redis", "REDIS_URL", _redis_fault, frozenset({"redis", "rediss"}))
MAIL = Outside("Mail", "EMAIL_URL", _mail_fault, frozenset({"smtp", "smtp+tls", "smtp+ssl"}))
