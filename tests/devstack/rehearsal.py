"""A small runner, for tests that kill it: `python -m tests.devstack.rehearsal KIND FOLDER`.

Prints one line of JSON with the pids it started, then waits to be stopped.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.console import say
from devstack.engines import running_engines, throwaway_engines
from devstack.interrupts import Interrupts, interrupts_noted
from devstack.ports import free_port
from devstack.processes import Process, Program, Speaks, Workshop, stop
from devstack.refusals import Interrupted
from devstack.sole_runner import only_runner

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\n"


@contextmanager
def kept_engines(folder: Path, interrupts: Interrupts) -> Iterator[list[Process]]:
    with (
        only_runner(folder, port=free_port(), interrupts=interrupts) as workshop,
        running_engines(workshop=workshop) as engines,
    ):
        yield list(engines.processes)


@contextmanager
def thrown_away_engines(_folder: Path, interrupts: Interrupts) -> Iterator[list[Process]]:
    with throwaway_engines(interrupts=interrupts) as (engines, _workshop):
        yield list(engines.processes)


@contextmanager
def stubborn_program(folder: Path, interrupts: Interrupts) -> Iterator[list[Process]]:
    with only_runner(folder, port=free_port(), interrupts=interrupts) as workshop:
        process = workshop.start(_stubborn())
        while "up" not in process.last_words():
            time.sleep(0.02)
        try:
            yield [process]
        finally:
            stop([process], interrupts=interrupts)


@contextmanager
def step_in_the_terminal(folder: Path, interrupts: Interrupts) -> Iterator[list[Process]]:
    workshop = Workshop(folder=folder, interrupts=interrupts)
    workshop.open()
    command = [sys.executable, "-c", "import time; print('[]', flush=True); time.sleep(60)"]
    workshop.run(Program(name="step", command=command, speaks=Speaks.TERMINAL))
    yield []


def _stubborn() -> Program:
    return Program(
        name="stubborn",
        command=[sys.executable, "-c", f"{STUBBORN}time.sleep(60)"],
        patience=3.0,
    )


KINDS = {
    "kept": kept_engines,
    "thrown-away": thrown_away_engines,
    "stubborn": stubborn_program,
    "step": step_in_the_terminal,
}


def main(kind: str, folder: str) -> None:
    try:
        with interrupts_noted() as interrupts, KINDS[kind](Path(folder), interrupts) as processes:
            say(json.dumps([process.popen.pid for process in processes]))
            interrupts.wait_until(lambda: False, timeout=120)
    except Interrupted:
        say("stopped")


if __name__ == "__main__":
    main(*sys.argv[1:])
