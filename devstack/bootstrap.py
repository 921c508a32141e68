"""From a bare Python to the project's virtualenv. Uses the standard library only."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from devstack.console import ProgressLine, report, say
from devstack.layout import LOCK_FILES, ROOT, VENV
from devstack.refusals import Refusal

PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
INSTALL_LOG = VENV / "install.log"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", re.MULTILINE)


def enter_virtualenv(arguments: Sequence[str]) -> NoReturn:
    """Completes the virtualenv, then becomes the command that runs inside it."""
    make_virtualenv_complete()
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), "-m", "devstack.commands", *arguments])  # noqa: S606


def make_virtualenv_complete() -> None:
    try:
        if is_complete():
            return
        VENV.mkdir(exist_ok=True)
        with _one_installation_at_a_time():
            if not is_complete():
                _build()
    except PermissionError as error:
        raise Refusal(
            f"{error.filename} belongs to another user: remove .venv, or run as that user."
        ) from error


def is_complete() -> bool:
    """A stamp is written last, so an interrupted installation never counts as complete."""
    return _stamped() == _lock_hash() and PYTHON.exists() and not _another_python_was_chosen()


def _stamped() -> str:
    return STAMP.read_text() if STAMP.is_file() else ""


def _lock_hash() -> str:
    digest = hashlib.sha256()
    for path in LOCK_FILES:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _another_python_was_chosen() -> bool:
    """`make run PYTHON=python3.13` rebuilds; a newer system Python alone does not."""
    if "PYTHON" not in os.environ or Path(sys.prefix).resolve() == VENV.resolve():
        return False
    return f"python{sys.version_info[0]}.{sys.version_info[1]}" not in _venv_libraries()


def _venv_libraries() -> list[str]:
    return [path.name for path in (VENV / "lib").glob("python3.*")]


@contextmanager
def _one_installation_at_a_time() -> Iterator[None]:
    with (VENV / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build() -> None:
    STAMP.unlink(missing_ok=True)
    if not _interpreter_works() or _another_python_was_chosen():
        _create_virtualenv()
    _install_locked_packages()
    STAMP.write_text(_lock_hash())


def _interpreter_works() -> bool:
    """A virtualenv outlives the interpreter it was made from, so this runs it."""
    if not PYTHON.exists():
        return False
    question = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    return (
        subprocess.run([PYTHON, "-c", question], capture_output=True, check=False).returncode == 0
    )


def _create_virtualenv() -> None:
    report("Virtualenv", f"creating .venv with Python {sys.version.split()[0]}")
    for leftover in ("bin", "lib", "lib64", "include", "pyvenv.cfg"):
        _remove(VENV / leftover)
    made = subprocess.run(
        [getattr(sys, "_base_executable", sys.executable), "-m", "venv", VENV],
        capture_output=True,
        check=False,
        text=True,
    )
    if made.returncode:
        raise Refusal(_why_no_virtualenv(made.stdout + made.stderr))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _why_no_virtualenv(output: str) -> str:
    if "ensurepip" in output:
        return (
            "This Python has no venv module. On Debian and Ubuntu: "
            f"apt-get install python3.{sys.version_info[1]}-venv"
        )
    return f"The virtualenv could not be created: {output.strip()}"


def _install_locked_packages() -> None:
    names = {name for path in LOCK_FILES for name in PINNED.findall(path.read_text())}
    progress = ProgressLine(label="Python packages", total=len(names))
    progress.note("installing what the lock files name, about a minute the first time")
    tail: deque[str] = deque(maxlen=12)
    with subprocess.Popen(
        _pip_command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        _follow(pip, progress=progress, tail=tail)
    progress.clear()
    if pip.returncode:
        say("".join(tail))
        raise Refusal(
            "pip could not install the locked packages (its last lines are above, the rest in "
            ".venv/install.log). Mostly this is the network: run the same command again."
        )
    report("Python packages", "installed")


def _pip_command() -> list[str | Path]:
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    requirements = [part for path in LOCK_FILES for part in ("-r", path)]
    return [PYTHON, "-m", "pip", "install", *options, "--require-hashes", *requirements]


def _follow(pip: subprocess.Popen[str], *, progress: ProgressLine, tail: deque[str]) -> None:
    count = 0
    with INSTALL_LOG.open("w") as log:
        for line in pip.stdout or ():
            log.write(line)
            tail.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                count += 1
                progress.show(count)
            elif line.startswith("Installing collected packages"):
                progress.note("unpacking")
