"""`make format`: puts code and templates into the form that `make check` requires."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from devstack.checks import TEMPLATES
from devstack.console import report
from devstack.layout import ROOT

BIN = Path(sys.executable).parent


def format_all(_arguments: Sequence[str]) -> int:
    _run("ruff", "check", "--fix", "--quiet", "--exit-zero", ".")
    _run("ruff", "format", "--quiet", ".")
    _run("djlint", "--reformat", "--quiet", *TEMPLATES)
    report("Formatted", "code and templates")
    return 0


def _run(name: str, *arguments: str) -> None:
    # djlint ends with 1 if it has changed something. `make check` reports what is wrong.
    subprocess.run([BIN / name, *arguments], cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
