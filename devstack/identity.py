"""Identifies a process by its pid and the moment it started.

Pids are reused: a pid from a file may now belong to somebody's editor. So nothing gets a signal
unless its start time matches as well.
"""

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    pid: int
    started: str

    def is_alive(self) -> bool:
        return started(self.pid) == self.started


def identify(pid: int) -> Identity:
    """The identity of a running process. One that is gone never counts as alive."""
    return Identity(pid=pid, started=started(pid) or "gone")


def started(pid: int) -> str | None:
    """When the process started, as the system says; None if it is gone or a zombie."""
    return _started_linux(pid) if sys.platform == "linux" else _started_posix(pid)


def command_line(pid: int) -> str:
    """The words that the process was started with; empty if it is gone."""
    if sys.platform == "linux":
        path = Path(f"/proc/{pid}/cmdline")
        with suppress(OSError):
            return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    command = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, check=False, text=True).stdout


def _started_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # proc(5): the name in parentheses may hold anything; state is field 3, starttime field 22.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{_boot_id()}:{fields[19]}"


@cache
def _boot_id() -> str:
    """Start times count from the boot. After a restart of the machine they mean nothing."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if os.access(path, os.R_OK) else ""


def _started_posix(pid: int) -> str | None:
    command = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    line = subprocess.run(command, capture_output=True, check=False, text=True).stdout.strip()
    state, _, moment = line.partition(" ")
    return None if not moment or state.startswith("Z") else moment.strip()
