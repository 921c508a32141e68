"""Becoming the only runner of a data directory, even after a runner that was killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.console import report
from devstack.data_lock import sole_use_of
from devstack.guard import guarded
from devstack.interrupts import Interrupts
from devstack.ports import address, require_free
from devstack.processes import Workshop
from devstack.records import stop_recorded


@contextmanager
def only_runner(folder: Path, *, port: int, interrupts: Interrupts) -> Iterator[Workshop]:
    """Locks the folder, ends orphans in it, and has our own processes watched.

    Raises Refusal if the folder is in use or the port is taken; then nothing was started.
    """
    with sole_use_of(folder, holder=address(port)):
        workshop = Workshop(folder=folder, interrupts=interrupts)
        if orphans := stop_recorded(workshop.records):
            report("Left over", f"an earlier run was killed; ended its {', '.join(orphans)}")
        require_free(port)
        workshop.open()
        with guarded(workshop.records, owner=workshop.owner):
            yield workshop
