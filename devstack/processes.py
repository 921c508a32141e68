"""Child processes: started in their own group, recorded on disk, and stopped in order."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from devstack.identity import Identity, identify
from devstack.interrupts import Interrupts
from devstack.layout import ROOT
from devstack.records import Record, write_record
from devstack.refusals import Interrupted

POLL = 0.05


class Speaks(Enum):
    """Where a program's output goes. TERMINAL also leaves it the keyboard, and so Ctrl-C."""

    LOG = "log"
    SCREEN = "screen"
    TERMINAL = "terminal"


@dataclass(frozen=True)
class Program:
    """A command line, and how to start and stop its process."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT
    speaks: Speaks = Speaks.LOG
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0
    uid: int | None = None
    gid: int | None = None

    @property
    def leads_group(self) -> bool:
        """In its own group, so Ctrl-C in the terminal reaches only the runner."""
        return self.speaks is not Speaks.TERMINAL


@dataclass(frozen=True)
class Process:
    """A started program."""

    program: Program
    popen: subprocess.Popen[bytes]
    log: Path
    note: Path

    @property
    def name(self) -> str:
        return self.program.name

    def has_ended(self) -> bool:
        return self.popen.poll() is not None

    def ask_to_stop(self) -> None:
        if not self.has_ended():
            self.popen.send_signal(self.program.stop_signal)

    def kill(self) -> None:
        if not self.has_ended():
            self.popen.kill()
        self.bury()

    def bury(self) -> None:
        """After the end: no child survives, and the record on disk is removed."""
        if self.program.leads_group:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self.note.unlink(missing_ok=True)

    def last_words(self, lines: int = 15) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


@dataclass(frozen=True)
class Workshop:
    """Where the processes of one runner keep their records and logs, and who may interrupt them."""

    folder: Path
    interrupts: Interrupts
    owner: Identity = field(default_factory=lambda: identify(os.getpid()))

    @property
    def records(self) -> Path:
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def open(self) -> None:
        """Makes the folders. The logs of the last run are kept once, as *.log.1."""
        for folder in (self.records, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def start(self, program: Program) -> Process:
        self.interrupts.check()
        log = self.logs / f"{program.name}.log"
        with log.open("ab") as log_file:
            popen = subprocess.Popen(
                program.command,
                cwd=program.folder,
                env={**os.environ, **program.environment},
                stdin=None if program.speaks is Speaks.TERMINAL else subprocess.DEVNULL,
                stdout=log_file if program.speaks is Speaks.LOG else None,
                stderr=subprocess.STDOUT if program.speaks is Speaks.LOG else None,
                start_new_session=program.leads_group,
                user=program.uid,
                group=program.gid,
                extra_groups=None if program.uid is None else [],
            )
        note = write_record(self.records, self._record(program, popen.pid))
        return Process(program=program, popen=popen, log=log, note=note)

    def run(self, program: Program) -> int:
        """Starts the program and waits for its end. A request to stop stops it first."""
        process = self.start(program)
        try:
            while not process.has_ended():
                self.interrupts.check()
                time.sleep(POLL)
        except Interrupted:
            if program.speaks is Speaks.TERMINAL and self.interrupts.by_keyboard:
                # The terminal has sent Ctrl-C to the program as well: let it finish.
                _wait_for([process], patience=program.patience, interrupts=self.interrupts)
            raise
        finally:
            stop([process], interrupts=self.interrupts)
        return process.popen.returncode

    def _record(self, program: Program, pid: int) -> Record:
        return Record(
            name=program.name,
            process=identify(pid),
            owner=self.owner,
            stop_signal=program.stop_signal,
            patience=program.patience,
            leads_group=program.leads_group,
        )


def stop(processes: Sequence[Process], *, interrupts: Interrupts | None = None) -> None:
    """Asks all to stop at once, waits as long as they may take, then kills.

    With `interrupts`, a second Ctrl-C cuts the waiting short. Engines are stopped without it: a
    database that is still writing is not hurried.
    """
    for process in processes:
        process.ask_to_stop()
    patience = max((process.program.patience for process in processes), default=0.0)
    _wait_for(processes, patience=patience, interrupts=interrupts)
    for process in processes:
        process.kill()


def _wait_for(
    processes: Sequence[Process], *, patience: float, interrupts: Interrupts | None
) -> None:
    deadline = time.monotonic() + patience
    while not all(process.has_ended() for process in processes):
        if time.monotonic() > deadline or (interrupts and interrupts.in_a_hurry):
            return
        time.sleep(POLL)
