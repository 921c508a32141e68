"""Programs from npm, as a lock file lists them, installed into a folder of .venv once per
lock file.
"""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from devstack.layout import VENV

INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def is_here() -> bool:
    return all(map(shutil.which, ("npm", "node")))


def programs(place: Path, *, name: str) -> Path:
    """The folder with the programs of `place`. Installs them into .venv/`name` if they are missing.

    Raises CalledProcessError if npm fails.
    """
    lock, tools = place / "package-lock.json", VENV / name
    state = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = tools / "installed"
    tools.mkdir(parents=True, exist_ok=True)
    with (tools / "install.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not stamp.is_file() or stamp.read_text() != state:
            stamp.unlink(missing_ok=True)
            for file in ("package.json", "package-lock.json"):
                shutil.copy(place / file, tools)
            subprocess.run(INSTALL, cwd=tools, check=True, capture_output=True, text=True)
            stamp.write_text(state)
    return tools / "node_modules" / ".bin"
