"""`make run`: everything from nothing, until Ctrl-C."""

import os
import shlex
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from environ import Env

from devstack import programs
from devstack.clock import clock_of
from devstack.console import report, say
from devstack.engines import Engines, running_engines
from devstack.interrupts import Interrupts, interrupts_noted
from devstack.layout import DEV, shown
from devstack.outside import DATABASE, MAIL, REDIS
from devstack.ports import LOOPBACK, address, free_port, web_port
from devstack.preparation import prepare_database
from devstack.processes import Workshop
from devstack.refusals import Interrupted, Refusal
from devstack.sole_runner import only_runner
from devstack.static_files import collect_static
from devstack.supervisor import Supervisor, supervised

START_TIMEOUT = 90.0
PULSE = 0.3


def run(arguments: Sequence[str]) -> int:
    """Runs until it is asked to stop. A request to stop is a success. An argument like
    `--at=2027-10-31 08:10` sets the moment (UTC) at which it begins.
    """
    port = web_port()
    with (
        clock_of(arguments),
        interrupts_noted() as interrupts,
        ExitStack() as running,
    ):
        try:
            _run(port=port, interrupts=interrupts, running=running)
        except Interrupted:
            say("\nStopping; the data stays in .dev.")
            return 0
    return 0


def _run(*, port: int, interrupts: Interrupts, running: ExitStack) -> None:
    workshop = running.enter_context(only_runner(DEV, port=port, interrupts=interrupts))
    say("DocBook")
    engines = running.enter_context(running_engines(workshop=workshop))
    _report_engines(engines)
    events_port = free_port()
    environment = _environment(engines, port=port, events_port=events_port)
    _write_environment(workshop.folder / "env", environment)
    prepare_database(engines=engines, workshop=workshop)
    if environment["STATIC_ROOT"]:
        folder = Path(environment["STATIC_ROOT"])
        collect_static(folder, workshop=workshop, environment=environment)
    supervisor = running.enter_context(supervised(workshop=workshop, engines=engines.processes))
    _start(supervisor, workshop=workshop, port=port, environment=environment)
    supervisor.start(programs.events(port=events_port, environment=environment))
    _welcome(port=port, engines=engines)
    while True:
        interrupts.check()
        supervisor.look_after_all()
        time.sleep(PULSE)


def _environment(engines: Engines, *, port: int, events_port: int) -> Mapping[str, str]:
    chosen = {name: value for name, value in os.environ.items() if value}
    return {
        "DJANGO_SETTINGS_MODULE": chosen.get("DJANGO_SETTINGS_MODULE", "docbook.settings.dev"),
        "SITE_URL": chosen.get("SITE_URL", address(port)),
        "PORT": str(port),
        "EVENTS_ADDRESS": f"{LOOPBACK}:{events_port}",
        "STATIC_ROOT": "" if Env().bool("DEBUG", default=False) else str(DEV / "static"),
        **engines.environment,
    }


def _write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """For a second terminal: `set -a; . .dev/env; .venv/bin/python manage.py shell`."""
    path.touch(mode=0o600)
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
    path.write_text("".join(lines))


def _start(
    supervisor: Supervisor, *, workshop: Workshop, port: int, environment: Mapping[str, str]
) -> None:
    """The web process has the machine to itself until the first page; the others follow."""
    begun = time.monotonic()
    supervisor.start(programs.web(port=port, environment=environment))
    _wait_until_served(port, supervisor=supervisor, interrupts=workshop.interrupts)
    report("Web", f"ready on {address(port)} ({time.monotonic() - begun:.1f} s)")
    schedule = workshop.folder / "beat-schedule"
    supervisor.start(
        programs.worker(environment=environment),
        programs.upkeep(environment=environment),
        programs.relay(environment=environment),
        programs.beat(schedule=schedule, environment=environment),
    )
    report("Background", "workers, relay, beat and live updates started")


def _wait_until_served(port: int, *, supervisor: Supervisor, interrupts: Interrupts) -> None:
    def is_served() -> bool:
        supervisor.refuse_early_end()
        return _readiness(port) == 200

    if not interrupts.wait_until(is_served, timeout=START_TIMEOUT):
        raise Refusal(
            f"{address(port)}/readyz did not say ready within {START_TIMEOUT:.0f} s "
            f"(last answer: {_readiness(port) or 'none'}); see {shown(DEV / 'logs' / 'web.log')}."
        )


def _readiness(port: int) -> int:
    with suppress(OSError, HTTPException):
        connection = HTTPConnection(LOOPBACK, port, timeout=5)
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    return 0


def _report_engines(engines: Engines) -> None:
    for server in (DATABASE, REDIS, MAIL):
        if server.is_given():
            report(server.label, f"using {server.place} ({server.variable})")
    if engines.postgres:
        report("PostgreSQL 18", f"on port {engines.postgres.port}, data in .dev/postgres")
    if engines.valkey:
        report("Valkey 9", f"on port {engines.valkey.port}")
    if engines.mail_sink:
        report("Mail sink", f"on port {engines.mail_sink.port}, mails in {shown(engines.maildir)}")


def _welcome(*, port: int, engines: Engines) -> None:
    say()
    report("Open", f"{address(port)}/")
    if engines.mail_sink:
        report("Inbox", f"{address(port)}/dev/inbox/")
    report("API", f"{address(port)}/api/v1/docs/")
    report("Log in as", "patient, doctor, secretary or admin @demo.docbook.test")
    report("Password", "docbook-demo")
    say()
    report("Logs", ".dev/logs")
    report("Other terminals", "set -a; . .dev/env; set +a; .venv/bin/python manage.py shell")
    report("Stop", "Ctrl-C; the data stays in .dev")
