"""The code of another revision, to be measured next to this one in the same run."""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from devstack.layout import ROOT
from devstack.refusals import Refusal

_COMMANDS = """
import json, sys
from pathlib import Path
from devstack import programs

made = [
    programs.web(port=int(sys.argv[1]), environment={}),
    programs.worker(environment={}),
    programs.upkeep(environment={}),
    programs.relay(environment={}),
    programs.beat(schedule=Path(sys.argv[2]), environment={}),
]
print(json.dumps({each.name: [str(word) for word in each.command] for each in made}))
"""


@contextmanager
def code_of(revision: str) -> Iterator[Path]:
    """A folder with the files of this commit, tag or branch, deleted afterwards. It uses the
    packages that are installed here. Raises Refusal if git has no such revision.
    """
    done = subprocess.run(
        ["git", "archive", "--format=tar", revision],  # noqa: S607 - the git on this machine
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise Refusal(f"There is no revision {revision}: {done.stderr.decode().strip()}")
    with TemporaryDirectory(prefix="docbook-revision-") as name:
        with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
            archive.extractall(name, filter="data")
        yield Path(name).resolve()


def commands_of(code: Path, *, port: int, schedule: Path) -> dict[str, list[str]]:
    """How that code starts its processes: web, worker, upkeep, relay and beat."""
    done = subprocess.run(
        [sys.executable, "-c", _COMMANDS, str(port), str(schedule)],
        cwd=code,
        capture_output=True,
        check=True,
        text=True,
    )
    return dict(json.loads(done.stdout))
