"""Records on disk about every process we start, so the next start finds orphans."""

import json
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.identity import Identity

POLL = 0.05


@dataclass(frozen=True)
class Record:
    """One started process, how to stop it, and its runner."""

    name: str
    process: Identity
    owner: Identity
    stop_signal: int
    patience: float
    leads_group: bool = True

    def signal(self, number: int) -> None:
        if self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def kill(self) -> None:
        """Ends the process. If it leads a group of its own, its children end too."""
        if self.process.is_alive():
            with suppress(ProcessLookupError, PermissionError):
                (os.killpg if self.leads_group else os.kill)(self.process.pid, signal.SIGKILL)


def write_record(folder: Path, record: Record) -> Path:
    path = folder / f"{record.name}.json"
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(path)
    return path


def read_records(folder: Path) -> Iterator[tuple[Path, Record]]:
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError, TypeError, KeyError):
            yield path, _parse(json.loads(path.read_text()))


def _parse(data: dict[str, object]) -> Record:
    process, owner = (Identity(**data.pop(key)) for key in ("process", "owner"))  # type: ignore[arg-type]
    return Record(process=process, owner=owner, **data)  # type: ignore[arg-type]


def stop_recorded(folder: Path, *, owner: Identity | None = None) -> list[str]:
    """Stops every process recorded in the folder (of that owner only, if given); returns
    the names.
    """
    found = [
        (path, record)
        for path, record in read_records(folder)
        if owner is None or record.owner == owner
    ]
    alive = [record for _, record in found if record.process.is_alive()]
    for record in alive:
        record.signal(record.stop_signal)
    _wait_or_kill(alive)
    for path, record in found:
        _forget(path, record)
    return [record.name for record in alive]


def _wait_or_kill(records: Iterable[Record]) -> None:
    begun = time.monotonic()
    waiting = list(records)
    while waiting:
        for record in waiting:
            if time.monotonic() - begun > record.patience:
                record.kill()
        waiting = [record for record in waiting if record.process.is_alive()]
        time.sleep(POLL if waiting else 0)


def _forget(path: Path, record: Record) -> None:
    """Removes the record, unless a newer start has written its own in the meantime."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        if _parse(json.loads(path.read_text())) == record:
            path.unlink()
