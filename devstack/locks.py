"""`make lock`: makes requirements*.txt, with hashes, from requirements*.in."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from devstack.console import report
from devstack.layout import LOCK_FILES, ROOT
from devstack.refusals import Refusal

OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate")


def write_lock_files(arguments: Sequence[str]) -> int:
    """Keeps locked versions that still fit; `--upgrade` takes the newest ones that fit."""
    if find_spec("uv") is None:
        _run("pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    for path in LOCK_FILES:
        source = path.with_suffix(".in").name
        _run("uv", "pip", "compile", "--quiet", *OPTIONS, *arguments, source, "-o", path.name)
        report(path.name, "written")
    return 0


def _run(module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise Refusal(f"{module} failed; its message is above.")
