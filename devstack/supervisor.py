"""Keeps the product's processes running, and says when one of them stops."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from devstack.console import report, say
from devstack.layout import shown
from devstack.processes import Process, Program, Workshop, stop
from devstack.refusals import Refusal

LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0


class Service:
    """One program that is started again when it stops, each time after a longer pause."""

    def __init__(self, *, program: Program, workshop: Workshop) -> None:
        self.program = program
        self.workshop = workshop
        self.failures = 0
        self.process: Process | None = None
        self.start()

    def start(self) -> None:
        self.process = self.workshop.start(self.program)
        self.resume_at = 0.0
        self.started_at = time.monotonic()

    def look_after(self) -> None:
        if self.process and self.process.has_ended():
            self._mourn(self.process)
        elif self.process is None and time.monotonic() >= self.resume_at:
            self.start()

    def _mourn(self, process: Process) -> None:
        process.bury()
        self.process = None
        self.ended_at = time.monotonic()
        steady = self.ended_at - self.started_at > STEADY_AFTER
        self.failures = 1 if steady else self.failures + 1
        pause = min(2.0 ** (self.failures - 1), LONGEST_PAUSE)
        self.resume_at = self.ended_at + pause
        if self.failures == 1:
            say(_obituary(process))
        again = "stopped again; " if self.failures > 1 else ""
        report(process.name, f"{again}starting again in {pause:.0f} s")


class Supervisor:
    """The services of one run, and the engines that they need."""

    def __init__(self, *, workshop: Workshop, engines: Sequence[Process]) -> None:
        self.workshop = workshop
        self.engines = engines
        self.services: list[Service] = []

    def start(self, *programs: Program) -> None:
        for program in programs:
            self.services.append(Service(program=program, workshop=self.workshop))

    def look_after_all(self) -> None:
        for engine in self.engines:
            if engine.has_ended():
                raise Refusal(
                    f"{_obituary(engine)}\nNothing works without it, so everything was stopped."
                )
        for service in self.services:
            service.look_after()

    def refuse_early_end(self) -> None:
        """Before the first page is served, a service that ends is not started again: show why, and
        stop.
        """
        for service in self.services:
            if service.process is None or service.process.has_ended():
                log = self.workshop.logs / f"{service.program.name}.log"
                words = service.process.last_words() if service.process else ""
                raise Refusal(f"{service.program.name} did not start ({shown(log)}):\n{words}")

    def stop(self) -> None:
        running = [service.process for service in self.services if service.process]
        stop(running, interrupts=self.workshop.interrupts)


@contextmanager
def supervised(*, workshop: Workshop, engines: Sequence[Process]) -> Iterator[Supervisor]:
    supervisor = Supervisor(workshop=workshop, engines=engines)
    try:
        yield supervisor
    finally:
        supervisor.stop()


def _obituary(process: Process) -> str:
    code = process.popen.returncode
    how = f"was killed by signal {-code}" if code < 0 else f"stopped with exit code {code}"
    words = process.last_words()
    where = f"; the last lines of {shown(process.log)}:\n{words}" if words else "."
    return f"\n{process.name} {how}{where}"
