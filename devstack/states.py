"""docs/states.md: written by `make states` from bookings.states, compared by `make check`."""

import subprocess
import sys
from collections.abc import Sequence

from devstack.console import report
from devstack.layout import ROOT, shown
from devstack.refusals import Refusal
from devstack.snapshots import compare

PAGE = ROOT / "docs" / "states.md"


def write_page(_arguments: Sequence[str]) -> int:
    PAGE.write_text(generate())
    report("States", f"{shown(PAGE)} written")
    return 0


def compare_page() -> int:
    """Exit code 1, and the difference, if the page differs from the states."""
    return compare(path=PAGE, made=generate(), advice="The states have changed: `make states`.")


def generate() -> str:
    command = [sys.executable, "manage.py", "describe_states"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    if made.returncode:
        raise Refusal(f"The states could not be described:\n{made.stderr.strip()}")
    return made.stdout


if __name__ == "__main__":
    try:
        sys.exit(compare_page())
    except Refusal as refusal:
        sys.exit(str(refusal))
