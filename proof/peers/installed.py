"""Which peer is installed in a virtual environment that somebody made for it."""

import json
import os
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from devstack.refusals import Refusal

HOW_TO = """Install a peer in a virtual environment outside this repository, and say where that is:
  python3 -m venv PATH
  PATH/bin/pip install django-appointment django-q2 granian 'psycopg[binary]'
  make bench SUITE=peers ARGS="--peer PATH\""""
# With each peer, what its project and its server need.
NEEDS: Mapping[str, Collection[str]] = {
    "django-appointment": ("django-q2", "granian", "psycopg"),
}
_ASK = """
import json, sys
from importlib.metadata import PackageNotFoundError, version

found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Installed:
    """A peer by the name of its package, its Python, and the versions of what is there."""

    name: str
    python: Path
    versions: Mapping[str, str]


def installed_in(path: str) -> Installed:
    """Raises Refusal, with how to get a peer, if there is none in this virtual environment."""
    if not path:
        raise Refusal(f"There is no peer to measure. {HOW_TO}")
    python = Path(path).expanduser().absolute() / "bin" / "python"
    if not python.is_file():
        raise Refusal(f"{path} is no virtual environment. {HOW_TO}")
    names = {*NEEDS, *(need for needs in NEEDS.values() for need in needs)}
    versions = json.loads(run(python, "-c", _ASK, *sorted(names)))
    name = next((each for each in NEEDS if each in versions), None)
    if name is None:
        raise Refusal(f"{path} has none of the peers we know: {', '.join(NEEDS)}. {HOW_TO}")
    if missing := [need for need in NEEDS[name] if need not in versions]:
        raise Refusal(f"{path} has {name}, but not {', '.join(missing)}. {HOW_TO}")
    return Installed(name, python, versions)


def run(
    python: Path,
    *arguments: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """The output of the peer's Python with these arguments. Raises Refusal if it failed."""
    done = subprocess.run(
        [python, *arguments],
        env={**os.environ, **(environment or {})},
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise Refusal(f"The peer's {arguments[0]} failed:\n{done.stdout}{done.stderr}"[-4000:])
    return done.stdout
