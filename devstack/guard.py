"""Cleans up after a runner that was killed before it could do so.

The runner holds the other end of this process's standard input and never writes to it. However the
runner ends, the kernel closes the pipe. Then its remaining processes are stopped, and its temporary
directory is removed.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.identity import Identity
from devstack.layout import ROOT
from devstack.records import stop_recorded


@contextmanager
def guarded(folder: Path, *, owner: Identity, temporary: Path | None = None) -> Iterator[None]:
    """Watches the processes recorded in the folder for as long as the block runs."""
    arguments = [str(folder), str(owner.pid), owner.started, *([str(temporary)] * bool(temporary))]
    guard = subprocess.Popen(
        [sys.executable, "-m", "devstack.guard", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate()


def main(folder: str, pid: str, started: str, temporary: str = "") -> None:
    sys.stdin.buffer.read()
    stop_recorded(Path(folder), owner=Identity(pid=int(pid), started=started))
    if temporary:
        shutil.rmtree(temporary, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
