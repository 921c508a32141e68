"""All of DocBook on its own durable engines. Every part can be stopped and started by hand.

with running_stack(background=True) as stack:
    stack.url, stack.database_url, stack.valkey.stop(), stack.valkey.start()
"""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psycopg

from devstack.checks import SECRETS
from devstack.guard import guarded
from devstack.interrupts import Interrupts
from devstack.layout import ROOT
from devstack.mailsink import MailSink, start_mail_sink, wait_for_mail_sink
from devstack.ports import LOOPBACK, address, answers, free_port
from devstack.postgres import SETTINGS, start_postgres
from devstack.processes import Process, Program, Workshop, stop
from devstack.refusals import Refusal
from devstack.roles import new_roles
from devstack.valkey import start_valkey, wait_for_valkey
from proof.revisions import commands_of

START_TIMEOUT = 120.0

# The machine for which the performance goals were set. A proof on a smaller one says so.
DURABLE: Mapping[str, str] = {
    **SETTINGS,
    "max_connections": "300",
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "shared_preload_libraries": "pg_stat_statements",
}
MUST_BE_ON = ("fsync", "synchronous_commit", "full_page_writes")


class Part:
    """One process that can be stopped, killed and started again at the same address."""

    def __init__(self, *, program: Program, workshop: Workshop, process: Process | None) -> None:
        self.program = program
        self.workshop = workshop
        self.process = process
        self.revived = 0

    def start(self) -> None:
        self.process = self.workshop.start(self.program)

    def revive(self) -> None:
        """Starts it again if it has ended, as every supervisor does, and counts that."""
        if self.process is not None and self.process.has_ended():
            self.process.bury()
            self.revived += 1
            self.start()

    def stop(self) -> None:
        """Asks first, and kills when its time is over."""
        if self.process is not None:
            stop([self.process])
        self.process = None

    def require_life(self) -> None:
        if self.process is not None and self.process.has_ended():
            words = self.process.last_words()
            raise Refusal(f"{self.program.name} has ended; its last words:\n{words}")


@dataclass(frozen=True)
class Stack:
    """What runs, and how to reach it. Without background there is no worker, relay or beat."""

    workshop: Workshop
    port: int
    environment: Mapping[str, str]
    maildir: Path
    database_url: str = field(repr=False)  # the superuser's, which no process of the product has
    database_process: int
    sink_process: int
    database_settings: Mapping[str, str]
    code: Path = ROOT
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return address(self.port)

    @property
    def redis_url(self) -> str:
        return self.environment["REDIS_URL"]

    @property
    def otp_key(self) -> str:
        """Belongs to this run only. Clients use it to derive the codes in the mails."""
        return self.environment["OTP_KEYS"]

    @property
    def valkey(self) -> Part:
        return self.parts["valkey"]

    @property
    def web(self) -> Part:
        return self.parts["web"]

    @property
    def worker(self) -> Part:
        return self.parts["worker"]

    def add(self, program: Program, *, process: Process | None = None) -> Part:
        """Adds a part for this program. Starts it now unless its process runs already."""
        part = Part(program=program, workshop=self.workshop, process=process)
        self.parts[program.name] = part
        if process is None:
            part.start()
        return part

    def let_pass(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> bool:
        """Waits and looks after the processes; returns whether the condition became true."""

        def is_over() -> bool:
            for part in self.parts.values():
                part.revive()
            return until()

        return self.workshop.interrupts.wait_until(is_over, timeout=seconds)

    @property
    def revived(self) -> dict[str, int]:
        """How often each part had to be started again."""
        return {name: part.revived for name, part in self.parts.items() if part.revived}

    def manage(self, *arguments: str, may_fail: bool = False) -> str:
        return self.run("manage.py", *arguments, may_fail=may_fail)

    def run(self, *arguments: str, may_fail: bool = False) -> str:
        """The output of this Python with these arguments, in the folder of the stack's code."""
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, **self.environment},
            cwd=self.code,
            capture_output=True,
            check=False,
            text=True,
        )
        if done.returncode and not may_fail:
            raise Refusal(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(sql.encode(), values or None).fetchall()

    def let_planner_look(self, *tables: str) -> None:
        """Analyses these tables or all, as autovacuum does within a minute."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(f"ANALYZE {', '.join(tables)}".encode())

    def mails(self) -> int:
        """How many mails have arrived."""
        new = self.maildir / "new"
        return len(os.listdir(new)) if new.is_dir() else 0  # noqa: PTH208 - a hundred thousand


@contextmanager
def running_stack(
    *,
    background: bool = False,
    database: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    interrupts: Interrupts | None = None,
    code: Path = ROOT,
) -> Iterator[Stack]:
    """Engines, schema and processes in a folder that is deleted afterwards. `code` is the code of
    another revision.

    `database` changes settings of PostgreSQL (except those that make it durable), `environment`
    those of DocBook. With `background`, a worker, a relay and beat run too.
    """
    with tempfile.TemporaryDirectory(prefix="docbook-proof-") as name, ExitStack() as running:
        folder = Path(name).resolve()
        folder.chmod(0o711)  # PostgreSQL may have to run as nobody; folders inside are private
        workshop = Workshop(folder=folder, interrupts=interrupts or Interrupts())
        workshop.open()
        running.enter_context(guarded(workshop.records, owner=workshop.owner, temporary=folder))
        stack = _on_engines(
            workshop,
            running,
            database={**DURABLE, **(database or {})},
            environment=environment or {},
            code=code,
        )
        stack.manage("migrate", "--no-input")
        running.callback(_stop_processes, stack)
        _start_processes(stack, background=background)
        yield stack


def _on_engines(
    workshop: Workshop,
    running: ExitStack,
    *,
    database: Mapping[str, str],
    environment: Mapping[str, str],
    code: Path,
) -> Stack:
    sink = start_mail_sink(maildir=workshop.folder / "mail", workshop=workshop)
    running.callback(sink.stop)
    valkey = start_valkey(home=workshop.folder / "valkey", workshop=workshop)
    postgres = start_postgres(
        home=workshop.folder / "postgres", workshop=workshop, settings=database
    )
    running.callback(postgres.stop)
    wait_for_mail_sink(sink, workshop=workshop)
    wait_for_valkey(valkey, workshop=workshop)
    roles = new_roles()
    roles.make(postgres.url())
    port = free_port()
    stack = Stack(
        workshop=workshop,
        port=port,
        environment={
            **_environment(port=port, sink=sink),
            **roles.environment(postgres.url()),
            "REDIS_URL": valkey.url(),
            **environment,
        },
        maildir=sink.maildir,
        database_url=postgres.url(),
        database_process=postgres.process.popen.pid,
        sink_process=sink.process.popen.pid,
        database_settings=settings_of(postgres.url()),
        code=code,
    )
    with psycopg.connect(stack.database_url) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
    part = stack.add(valkey.process.program, process=valkey.process)
    running.callback(part.stop)
    return stack


def _environment(*, port: int, sink: MailSink) -> dict[str, str]:
    secret = {name: secrets.token_urlsafe(48) for name in SECRETS}
    return {
        **secret,
        "DJANGO_SETTINGS_MODULE": "docbook.settings.dev",
        "CELERY_BROKER_URL": "",
        "EMAIL_URL": sink.url(),
        "DEV_MAILDIR": str(sink.maildir),
        "SITE_URL": address(port),
    }


def settings_of(database_url: str) -> dict[str, str]:
    """The server's own settings of durability. Raises Refusal if it could lose confirmed data."""
    names = (*MUST_BE_ON, "shared_buffers", "max_wal_size", "server_version")
    found: dict[str, str] = {}
    with psycopg.connect(database_url) as connection:
        for name in names:
            ((found[name],),) = connection.execute("SELECT current_setting(%s)", [name]).fetchall()
    if careless := [name for name in MUST_BE_ON if found[name] != "on"]:
        raise Refusal(f"PostgreSQL is not durable here: {', '.join(careless)} must be on.")
    return found


def _start_processes(stack: Stack, *, background: bool) -> None:
    schedule = stack.workshop.folder / "beat-schedule"
    commands = commands_of(stack.code, port=stack.port, schedule=schedule)
    for name, command in commands.items():
        if background or name == "web":
            stack.add(
                Program(
                    name=name, command=command, environment=stack.environment, folder=stack.code
                )
            )
    wait_until_ready(stack)


def wait_until_ready(stack: Stack) -> None:
    def is_ready() -> bool:
        for part in stack.parts.values():
            part.require_life()
        return answers(stack.port) and _readiness(stack.port) == 200

    if not stack.workshop.interrupts.wait_until(is_ready, timeout=START_TIMEOUT):
        raise Refusal(f"{stack.url}/readyz did not say ready within {START_TIMEOUT:.0f} s.")


def _readiness(port: int) -> int:
    with suppress(OSError, HTTPException):
        connection = HTTPConnection(LOOPBACK, port, timeout=5)
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    return 0


def _stop_processes(stack: Stack) -> None:
    product: Sequence[str] = [name for name in stack.parts if name != "valkey"]
    stop([p for name in product if (p := stack.parts[name].process) is not None])
