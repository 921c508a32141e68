"""docs/openapi.yaml: written by `make openapi`, compared by `make check`."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from devstack.console import report
from devstack.layout import ROOT, shown
from devstack.refusals import Refusal
from devstack.snapshots import compare

SNAPSHOT = ROOT / "docs" / "openapi.yaml"


def write_snapshot(_arguments: Sequence[str]) -> int:
    SNAPSHOT.write_text(generate())
    report("OpenAPI", f"{shown(SNAPSHOT)} written")
    return 0


def compare_snapshot() -> int:
    """Exit code 1, and the difference, if the API differs from the snapshot."""
    advice = "The API has changed: look at it, then `make openapi`."
    return compare(path=SNAPSHOT, made=generate(), advice=advice)


def generate() -> str:
    """The document that the code gives now. Raises Refusal if drf-spectacular reports a problem."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "openapi.yaml"
        options = ["--validate", "--fail-on-warn", "--file", str(path)]
        command = [sys.executable, "manage.py", "spectacular", *options]
        made = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
        if made.returncode:
            raise Refusal(f"The schema could not be made:\n{made.stderr.strip()}")
        return path.read_text()


if __name__ == "__main__":
    try:
        sys.exit(compare_snapshot())
    except Refusal as refusal:
        sys.exit(str(refusal))
