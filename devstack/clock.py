"""Another moment for a whole run: every process that it starts has a shifted wall clock.

All clocks are ahead (or behind) by the same number of seconds, so they agree and keep running.
Durations stay real.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from devstack.refusals import Refusal

SOURCE = Path(__file__).with_suffix(".c")
AT = "--at="


@contextmanager
def clock_of(arguments: Sequence[str]) -> Iterator[Sequence[str]]:
    """If the first argument is like `--at=2027-10-31 00:10`, programs that start in the block have
    that clock. Yields the other arguments.
    """
    if not arguments or not arguments[0].startswith(AT):
        yield arguments
        return
    with clock_at(arguments[0].removeprefix(AT)) as clock:
        os.environ |= clock
        yield arguments[1:]


@contextmanager
def clock_at(moment: str) -> Iterator[Mapping[str, str]]:
    """The environment that sets the clock of new processes to this moment of UTC."""
    ahead = round(_instant(moment).timestamp() - time.time())
    with tempfile.TemporaryDirectory(prefix="docbook-clock-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL may have to run as nobody
        yield {"LD_PRELOAD": str(_library(folder)), "CLOCK_AHEAD": str(ahead)}


def _instant(moment: str) -> datetime:
    try:
        return datetime.strptime(moment, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(
            f'"{moment}" is not a moment: write it like AT="2027-10-31 00:10", in UTC.'
        ) from None


def _library(folder: Path) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        raise Refusal(
            "A C compiler is missing, which makes the clock of another moment "
            "(Debian and Ubuntu: apt-get install gcc libc6-dev)."
        )
    library = folder / "clock.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refusal(f"The clock of another moment could not be made:\n{done.stderr}")
    return library
