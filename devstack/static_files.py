"""Static files as a server has them: collected, compressed and named by content.

Done once for each state of the files. `DEBUG=true make run` skips it.
"""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.console import say, timed_step
from devstack.layout import LOCK_FILES, ROOT, shown
from devstack.processes import Program, Workshop
from devstack.refusals import Refusal

SHAPES_STATIC_FILES = ("static/**/*", "docbook/settings/*.py", "docbook/http/*.py")


def collect_static(folder: Path, *, workshop: Workshop, environment: Mapping[str, str]) -> None:
    """Collects into `folder`, which the environment sets as STATIC_ROOT."""
    stamp, state = folder / "collected", _state()
    if stamp.is_file() and stamp.read_text() == state:
        return
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(ROOT / "manage.py"), "collectstatic", "--no-input", "--clear"]
    program = Program(name="collectstatic", command=command, environment=environment)
    with timed_step("Static files", done="collected"):
        status = workshop.run(program)
    if status:
        log = workshop.logs / "collectstatic.log"
        say(log.read_text(errors="replace")[-3000:])
        raise Refusal(f"Static files were not collected; {shown(log)} says why.")
    stamp.write_text(state)


def _state() -> str:
    """A digest of everything that decides what is collected."""
    digest = hashlib.sha256(LOCK_FILES[0].read_bytes())
    files = {path for pattern in SHAPES_STATIC_FILES for path in ROOT.glob(pattern)}
    for path in sorted(filter(Path.is_file, files)):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()
