"""PostgreSQL, Valkey and the mail sink together, on data that is kept or thrown away afterwards.

    with interrupts_noted() as interrupts, throwaway_engines(interrupts=interrupts) as engines:
        subprocess.run([...], env={**os.environ, **engines.environment})

DATABASE_URL, REDIS_URL and EMAIL_URL from outside replace the embedded engine of their kind.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.guard import guarded
from devstack.interrupts import Interrupts
from devstack.mailsink import MailSink, start_mail_sink, wait_for_mail_sink
from devstack.outside import DATABASE, MAIL, REDIS, Outside
from devstack.postgres import SETTINGS, THROWAWAY_SETTINGS, Postgres, start_postgres
from devstack.processes import Process, Workshop
from devstack.roles import new_roles
from devstack.valkey import Valkey, start_valkey, wait_for_valkey


@dataclass(frozen=True)
class Engines:
    """What runs (None for an outside server), and how the product finds it all."""

    postgres: Postgres | None
    valkey: Valkey | None
    mail_sink: MailSink | None
    maildir: Path
    database: Mapping[str, str]

    @property
    def environment(self) -> Mapping[str, str]:
        found = {
            "REDIS_URL": self.valkey and self.valkey.url(),
            "EMAIL_URL": self.mail_sink and self.mail_sink.url(),
            "DEV_MAILDIR": str(self.maildir),
        }
        return {**self.database, **{name: value for name, value in found.items() if value}}

    @property
    def processes(self) -> Sequence[Process]:
        embedded = (self.postgres, self.valkey, self.mail_sink)
        return [engine.process for engine in embedded if engine]


@contextmanager
def throwaway_engines(*, interrupts: Interrupts) -> Iterator[tuple[Engines, Workshop]]:
    """Engines in a temporary directory, fast rather than durable, deleted after the block."""
    with tempfile.TemporaryDirectory(prefix="docbook-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o711)  # PostgreSQL may have to run as nobody; every folder inside is private
        workshop = Workshop(folder=folder, interrupts=interrupts)
        workshop.open()
        with (
            guarded(workshop.records, owner=workshop.owner, temporary=folder),
            running_engines(workshop=workshop, durable=False) as engines,
        ):
            yield engines, workshop


@contextmanager
def running_engines(*, workshop: Workshop, durable: bool = True) -> Iterator[Engines]:
    """Starts engines that are not given from outside, with data in the workshop's folder; stops
    them afterwards.
    """
    with ExitStack() as running:
        maildir = Path(os.environ.get("DEV_MAILDIR") or workshop.folder / "mail")
        valkey = _valkey(workshop, running, durable=durable)
        mail_sink = _mail_sink(workshop, running, maildir=maildir)
        postgres = _postgres(workshop, running, durable=durable)  # last, because it takes longest
        if valkey:
            wait_for_valkey(valkey, workshop=workshop)
        if mail_sink:
            wait_for_mail_sink(mail_sink, workshop=workshop)
        yield Engines(
            postgres=postgres,
            valkey=valkey,
            mail_sink=mail_sink,
            maildir=maildir,
            database=_database(postgres, durable=durable),
        )


def _database(postgres: Postgres | None, *, durable: bool) -> Mapping[str, str]:
    """Kept data are served as in production. Tests make and drop databases, as the superuser."""
    if postgres is None:
        return {}
    if not durable:
        return {"DATABASE_URL": postgres.url(), "MIGRATION_DATABASE_URL": ""}
    roles = new_roles()
    roles.make(postgres.url())
    return roles.environment(postgres.url())


def _postgres(workshop: Workshop, running: ExitStack, *, durable: bool) -> Postgres | None:
    if _is_given(DATABASE, workshop):
        return None
    postgres = start_postgres(
        home=workshop.folder / "postgres",
        workshop=workshop,
        settings=SETTINGS if durable else THROWAWAY_SETTINGS,
    )
    running.callback(postgres.stop)
    return postgres


def _valkey(workshop: Workshop, running: ExitStack, *, durable: bool) -> Valkey | None:
    if _is_given(REDIS, workshop):
        return None
    valkey = start_valkey(home=workshop.folder / "valkey", workshop=workshop, durable=durable)
    running.callback(valkey.stop)
    return valkey


def _mail_sink(workshop: Workshop, running: ExitStack, *, maildir: Path) -> MailSink | None:
    if _is_given(MAIL, workshop):
        return None
    mail_sink = start_mail_sink(maildir=maildir, workshop=workshop)
    running.callback(mail_sink.stop)
    return mail_sink


def _is_given(server: Outside, workshop: Workshop) -> bool:
    """True if an outside server is named. It has answered by then, or was refused with a
    sentence.
    """
    if server.is_given():
        server.wait(interrupts=workshop.interrupts)
    return server.is_given()
