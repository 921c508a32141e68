"""The real processes of DocBook on their own database and Valkey, with real mail."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row

from devstack import programs
from devstack.interrupts import Interrupts
from devstack.layout import ROOT
from devstack.mailsink import start_mail_sink, wait_for_mail_sink
from devstack.ports import LOOPBACK, address, free_port
from devstack.processes import Process, Workshop, stop
from devstack.roles import Roles, new_roles
from devstack.static_files import collect_static
from devstack.valkey import start_valkey, wait_for_valkey

SEED = ("--doctors", "12", "--days", "14", "--seed", "7")
DOCTOR, SECRETARY = "doctor@demo.docbook.test", "secretary@demo.docbook.test"
PATIENT, OTHER_PATIENT = "patient@demo.docbook.test", "patient-1@demo.docbook.test"
PASSWORD = "docbook-demo"
PATIENCE = 60.0
PAUSE = 0.05

Found = TypeVar("Found")


@dataclass(frozen=True)
class Live:
    """A running DocBook, and ways to look behind its doors."""

    url: str
    database_url: str

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> dict[str, Any]:
        (row,) = self.rows(sql, *values)
        return row

    def mails(self, *, to: str) -> list[dict[str, Any]]:
        """Newest first, as the development inbox shows them."""
        return list(get_json(f"{self.url}/dev/inbox/?format=json&to={quote(to)}"))

    def mail(self, *, to: str, subject: str, count: int = 1) -> dict[str, Any]:
        """The newest mail with these words in its subject, once there are `count` of them."""

        def arrived() -> dict[str, Any] | None:
            found = [mail for mail in self.mails(to=to) if subject in mail["subject"]]
            return found[0] if len(found) >= count else None

        return eventually(arrived, what=f"a mail to {to}: {subject}")

    def code(self, *, to: str, count: int = 1) -> str:
        """The six digits of the newest code mail, once `count` codes were sent."""
        mail = self.mail(to=to, subject="code", count=count)
        (first, second) = re.search(r"\b(\d{3}) ?(\d{3})\b", mail["text"]).groups()
        return f"{first}{second}"


def eventually(look: Callable[[], Found | None], *, what: str, within: float = PATIENCE) -> Found:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + within
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"There was no sign of {what} within {within:.0f} s.")
        time.sleep(PAUSE)
    return found


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        return json.load(response)


@contextmanager
def running_stack(folder: Path) -> Iterator[Live]:
    """Started with the command lines of `make run`; stopped and dropped after the block."""
    with ExitStack() as running:
        workshop = Workshop(folder=folder, interrupts=Interrupts())
        workshop.open()
        database_url, roles = running.enter_context(own_database(os.environ["DATABASE_URL"]))
        sink = start_mail_sink(maildir=folder / "mail", workshop=workshop)
        running.callback(sink.stop)
        valkey = start_valkey(home=folder / "valkey", workshop=workshop, durable=False)
        running.callback(valkey.stop)
        wait_for_mail_sink(sink, workshop=workshop)
        wait_for_valkey(valkey, workshop=workshop)
        port, events_port = free_port(), free_port()
        environment = {
            "DJANGO_SETTINGS_MODULE": "docbook.settings.dev",
            **roles.environment(database_url),
            "EMAIL_URL": sink.url(),
            "DEV_MAILDIR": str(folder / "mail"),
            "SITE_URL": address(port),
            "REDIS_URL": valkey.url(),
            "STATIC_ROOT": str(folder / "static"),
            "EVENTS_ADDRESS": f"{LOOPBACK}:{events_port}",
            "WAITLIST_QUIET_HOURS": "00:00-00:00",  # tests run at night as well
        }
        collect_static(folder / "static", workshop=workshop, environment=environment)
        manage("migrate", "--no-input", environment=environment)
        manage("seed_demo", *SEED, environment=environment)
        processes = [
            workshop.start(program)
            for program in (
                programs.web(port=port, environment=environment),
                programs.events(port=events_port, environment=environment),
                programs.worker(environment=environment),
                programs.upkeep(environment=environment),
                programs.relay(environment=environment),
            )
        ]
        running.callback(stop, processes)
        eventually(lambda: is_ready(port, processes), what="a web process that is ready")
        yield Live(url=address(port), database_url=database_url)
        # Whatever the journeys did, no promise about the data is broken.
        for command in ("sweep_holds", "seal_audit", "check_invariants"):
            manage(command, environment=environment)


@contextmanager
def own_database(url: str) -> Iterator[tuple[str, Roles]]:
    """A new database on the server of this URL, made by the superuser, with its own roles."""
    name = f"journeys_{uuid4().hex}"
    roles = new_roles(owner=f"{name}_owner", app=f"{name}_app")
    server, mine = (urlunsplit(urlsplit(url)._replace(path=p)) for p in ("/postgres", f"/{name}"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        roles.make(mine)
        yield mine, roles
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        roles.drop(server)


def manage(*arguments: str, environment: dict[str, str]) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    done = subprocess.run(
        command, env=os.environ | environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def is_ready(port: int, processes: list[Process]) -> bool:
    for process in processes:
        assert not process.has_ended(), f"{process.name}:\n{process.last_words()}"
    try:
        return bool(get_json(f"{address(port)}/readyz"))
    except (URLError, OSError):
        return False
