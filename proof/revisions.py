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

_WEB_COMMAND = (
    "import json, sys; from devstack import programs;"
    "print(json.dumps([*map(str, programs.web(port=int(sys.argv[1]), environment={}).command)]))"
)


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


def web_command(code: Path, *, port: int) -> list[str]:
    """How that code starts its server."""
    done = subprocess.run(
        [sys.executable, "-c", _WEB_COMMAND, str(port)],
        cwd=code,
        capture_output=True,
        check=True,
        text=True,
    )
    return list(json.loads(done.stdout))
