"""One runner per data directory. The kernel releases the lock, even after `kill -9`."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.layout import shown
from devstack.refusals import Refusal


@contextmanager
def sole_use_of(folder: Path, *, holder: str) -> Iterator[None]:
    """Holds the folder's lock for the block. Refuses with a sentence if somebody else has it."""
    _make(folder)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise Refusal(_already_running(folder, holder=lock.read().strip())) from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {holder}")
        lock.flush()
        yield


def _make(folder: Path) -> None:
    try:
        # see engines: the user nobody may have to pass through
        folder.mkdir(mode=0o711, exist_ok=True)
        (folder / "lock").touch(mode=0o600)
    except PermissionError as error:
        raise Refusal(
            f"{shown(folder)} belongs to another user: run as that user, or remove it."
        ) from error


def _already_running(folder: Path, *, holder: str) -> str:
    return (
        f"DocBook already runs on the data in {shown(folder)} ({holder or 'just starting'}): "
        "stop it there with Ctrl-C first."
    )
