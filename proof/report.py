"""The results of a scenario: tables for people, JSON for comparisons."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from devstack.console import report, say
from devstack.layout import DEV, ROOT, shown
from proof.findings import Finding

RESULTS = ROOT / "docs" / "results"
# For smaller or larger runs: they replace no record.
TRIALS = DEV / "results"

Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Report:
    """`tables` by title; `findings` are the promises, none of which may be broken."""

    scenario: str
    seed: int
    database: Mapping[str, str]
    tables: Mapping[str, Sequence[Row]]
    findings: Sequence[Finding]
    figures: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        return not any(finding.broken for finding in self.findings)

    def show(self) -> None:
        for title, rows in self.tables.items():
            say(f"\n{title}")
            show_table(rows)
        if self.figures:
            say()
        for name, value in self.figures.items():
            report(name, str(value))
        say("\nPromises")
        for finding in self.findings:
            say(f"  {'BROKEN' if finding.broken else 'kept  '}  {finding.broken} {finding.promise}")
            for example in finding.examples:
                say(f"          {example}")

    def write(self, *, name: str, is_record: bool) -> Path:
        folder = RESULTS if is_record else TRIALS
        return write_results(f"{name}-{self.scenario}", asdict(self), folder=folder)


def write_results(name: str, found: Mapping[str, object], *, folder: Path = RESULTS) -> Path:
    """Adds which code it was, when, and on what machine."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    facts = {"revision": _revision(), "at": datetime.now(UTC).isoformat(), **_machine()}
    path.write_text(json.dumps({**facts, **found}, indent=2) + "\n")
    say(f"\nWritten to {shown(path)}.")
    return path


def show_table(rows: Sequence[Row]) -> None:
    if not rows:
        return
    cells = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        first, *rest = zip(row, widths, strict=True)
        say("  " + "  ".join([first[0].ljust(first[1]), *(text.rjust(n) for text, n in rest)]))


def _revision() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - the git on this machine
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    return done.stdout.strip()


def _machine() -> dict[str, object]:
    return {"cores": os.cpu_count(), "load": [round(each, 2) for each in os.getloadavg()]}
