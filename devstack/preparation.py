"""The schema and the demo clinics: made once, skipped if nothing has changed."""

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from devstack.console import report, say, timed_step
from devstack.engines import Engines
from devstack.layout import LOCK_FILES, ROOT, shown
from devstack.processes import Program, Speaks, Workshop
from devstack.refusals import Refusal

DEMO = ("--doctors", "1000", "--days", "60", "--seed", "1", "--if-empty")
SHAPES_THE_SCHEMA = ("*/migrations/*.py", "*/*/migrations/*.py", "docbook/settings/*.py")


@dataclass(frozen=True)
class Stamp:
    """What was done to the embedded database. Kept next to its data, and gone with them."""

    path: Path | None

    def holds(self, name: str, value: str) -> bool:
        return self._read().get(name) == value

    def put(self, name: str, value: str) -> None:
        if self.path:
            self.path.write_text(json.dumps({**self._read(), name: value}))

    def _read(self) -> dict[str, str]:
        if self.path is None or not self.path.exists():
            return {}
        return dict(json.loads(self.path.read_text()))


def prepare_database(*, engines: Engines, workshop: Workshop) -> None:
    """Migrates and seeds. Somebody else's database is asked every time; for our own there is a
    stamp.
    """
    stamp = Stamp(workshop.folder / "postgres" / "prepared.json" if engines.postgres else None)
    schema = _schema_version()
    if not stamp.holds("schema", schema):
        _migrate(engines=engines, workshop=workshop)
        stamp.put("schema", schema)
    if not stamp.holds("demo", "seeded"):
        _seed(engines=engines, workshop=workshop)
        stamp.put("demo", "seeded")


def _schema_version() -> str:
    """A digest of everything that decides which migrations there are."""
    digest = hashlib.sha256()
    files = {path for pattern in SHAPES_THE_SCHEMA for path in ROOT.glob(pattern)}
    for path in sorted(files | {LOCK_FILES[0]}):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def _migrate(*, engines: Engines, workshop: Workshop) -> None:
    with timed_step("Migrations", done="applied"):
        status = workshop.run(_manage("migrate", "--no-input", engines=engines))
    if status:
        log = workshop.logs / "migrate.log"
        say(log.read_text(errors="replace")[-3000:])
        raise Refusal(f"The migrations failed; the last lines of {shown(log)} are above.")


def _seed(*, engines: Engines, workshop: Workshop) -> None:
    report("Demo clinics", "1,000 doctors with 60 days of times, once")
    command = _manage("seed_demo", *DEMO, engines=engines, speaks=Speaks.SCREEN)
    with timed_step("Demo clinics", done="ready"):
        status = workshop.run(command)
    if status:
        raise Refusal("The demo data could not be made; the reason is above.")


def _manage(name: str, *arguments: str, engines: Engines, speaks: Speaks = Speaks.LOG) -> Program:
    return Program(
        name=name,
        command=[sys.executable, ROOT / "manage.py", name, *arguments],
        environment=engines.environment,
        speaks=speaks,
    )
