"""The product's processes, each with its command line."""

import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.layout import ROOT
from devstack.ports import LOOPBACK
from devstack.processes import Program

Environment = Mapping[str, str]


def web(*, port: int, environment: Environment) -> Program:
    """The server, with the options that were fastest when measured; see SCALING.md."""
    return Program(
        name="web",
        command=[
            *_module("granian", "docbook.rsgi:application"),
            *("--interface", "rsgi", "--host", LOOPBACK, "--port", str(port)),
            *("--http", "1", "--no-ws", "--workers", "2"),
            # How long headers may take and be, and how many clients may wait at once.
            *("--http1-header-read-timeout", "10000", "--http1-buffer-size", "65536"),
            *("--backpressure", "2048"),
            *("--respawn-failed-workers", "--workers-kill-timeout", "5"),
        ],
        environment=environment,
    )


def events(*, port: int, environment: Environment) -> Program:
    """Tells open pages what has changed. It only waits, so one process has time for all."""
    return Program(
        name="events",
        command=[
            *_module("granian", "docbook.events.asgi:application"),
            *("--interface", "asgi", "--host", LOOPBACK, "--port", str(port)),
            *("--http", "1", "--no-ws", "--workers", "1"),
            *("--http1-header-read-timeout", "10000", "--backpressure", "2048"),
            *("--respawn-failed-workers", "--workers-kill-timeout", "5"),
        ],
        environment=environment,
    )


def worker(*, environment: Environment) -> Program:
    """For messages that somebody waits for: codes first, then what is due, then mails. Its threads
    mostly wait for the mail server.
    """
    return _worker("worker", queues="codes,soon,mail", threads=4, environment=environment)


def upkeep(*, environment: Environment) -> Program:
    """For scans and purges, which may take minutes. There are two, so one long task does not stop
    them all.
    """
    return _worker("upkeep", queues="upkeep", threads=2, environment=environment)


def _worker(name: str, *, queues: str, threads: int, environment: Environment) -> Program:
    arguments = ("-A", "docbook", "worker", "-P", "threads", "-c", str(threads), "-Q", queues)
    # Workers need not know each other, and their messages fail when Valkey comes back.
    alone = ("--without-gossip", "--without-mingle", "--loglevel=WARNING", "-n", f"{name}@%h")
    command = _module("celery", *arguments, *alone)
    return Program(name=name, command=command, environment=environment)


def beat(*, schedule: Path, environment: Environment) -> Program:
    arguments = ("-A", "docbook", "beat", "--schedule", str(schedule), "--pidfile=")
    return Program(name="beat", command=_module("celery", *arguments), environment=environment)


def relay(*, environment: Environment) -> Program:
    command = [sys.executable, str(ROOT / "manage.py"), "relay_outbox"]
    return Program(name="relay", command=command, environment=environment)


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]
