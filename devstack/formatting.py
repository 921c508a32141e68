"""`make format`: code and templates in the form that `make check` wants to see."""

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
    # djlint ends with 1 when it has changed something; what is wrong is for `make check` to say.
    subprocess.run([BIN / name, *arguments], cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
