"""Starting and watching small processes in tests of the stack."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from devstack.identity import Identity, identify
from devstack.layout import ROOT
from devstack.records import Record

ENGINE_VARIABLES = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DEV_MAILDIR")


def eventually(condition: Callable[[], bool], *, within: float = 60.0) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def sleeper(*, own_group: bool = False) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    return subprocess.Popen(command, start_new_session=own_group)


def record_of(
    popen: subprocess.Popen[bytes], *, name: str = "sleeper", **changes: object
) -> Record:
    values = {
        "name": name,
        "process": identify(popen.pid),
        "owner": identify(os.getpid()),
        "stop_signal": 15,
        "patience": 5.0,
        **changes,
    }
    return Record(**values)  # type: ignore[arg-type]


class Rehearsal:
    """A runner in its own process, without the engines of the surrounding test run."""

    def __init__(self, kind: str, folder: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if k not in ENGINE_VARIABLES}
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.devstack.rehearsal", kind, str(folder)],
            cwd=ROOT,
            env={**environment, "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
        )

    def started(self) -> list[Identity]:
        """The processes it has started, once they run."""
        return [identify(pid) for pid in json.loads(self.read_line())]

    def read_line(self) -> str:
        assert self.popen.stdout
        return self.popen.stdout.readline()

    def __enter__(self) -> "Rehearsal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.popen.poll() is None:
            self.popen.terminate()
        self.popen.communicate(timeout=60)


def all_gone(processes: list[Identity]) -> bool:
    return not any(process.is_alive() for process in processes)
