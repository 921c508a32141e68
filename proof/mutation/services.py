"""Mutants of the services, by mutmut.

mutmut writes every mutant of a function next to it and runs the tests once to learn which of them
reach which function. Then it forks a process for each mutant, where those tests run, the fastest
first, until one fails. Mutants that the type checker refuses are not run. The settings and the list
of tests are in pyproject.toml.

A process needs its own engines. So two mutmut processes run at once, each in a copy of the clone
and on about half of the code.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.console import ProgressLine, say
from devstack.engines import throwaway_engines
from devstack.interrupts import Interrupts, interrupts_noted
from devstack.layout import ROOT
from devstack.processes import Process, Program
from devstack.refusals import Refusal
from proof.mutation.verdicts import Fate, Mutant

MODULES = [
    *sorted((ROOT / "bookings").glob("*/services/[a-z]*.py")),
    *sorted((ROOT / "bookings").glob("*/services.py")),
    *sorted((ROOT / "bookings" / "upkeep").glob("[a-z]*.py")),
    ROOT / "bookings" / "rules.py",
    ROOT / "bookings" / "waitlist" / "rules.py",
]
AT_ONCE = 2
LONGEST = 4 * 3600.0
BIN = Path(sys.executable).parent
NOT_COPIED = (".git", ".venv", ".dev", ".*_cache", ".hypothesis", "__pycache__", "staticfiles")

# mutmut's words. In all other cases, no test has noticed the mutant.
FATES = {
    "killed": Fate.KILLED,
    "timeout": Fate.TIMEOUT,
    "caught by type check": Fate.REFUSED,
}
COUNT = re.compile(r"(\d+)/(\d+)  ")


def mutate_services(modules: Sequence[Path]) -> list[Mutant]:
    say("The mutants are made and the tests run once without one, a few minutes; then each.")
    with interrupts_noted() as interrupts, ExitStack() as running:
        runs = [running.enter_context(_run(each, interrupts)) for each in _shares(modules)]
        line = ProgressLine(label="Mutants", total=1)

        def all_have_ended() -> bool:
            counts = [run.count() for run in runs]
            line.total = max([1, *(total for _tried, total in counts)])
            line.show(sum(tried for tried, _total in counts))
            return all(run.process.has_ended() for run in runs)

        interrupts.wait_until(all_have_ended, timeout=LONGEST)
        line.clear()
        return [mutant for run in runs for mutant in run.mutants()]


def _shares(modules: Sequence[Path]) -> list[list[Path]]:
    """By size: the number of mutants is unknown before they are made."""
    shares: list[list[Path]] = [[] for _ in range(AT_ONCE)]
    for module in sorted(modules, key=_size, reverse=True):
        min(shares, key=lambda share: sum(map(_size, share))).append(module)
    return [share for share in shares if share]


def _size(module: Path) -> int:
    return module.stat().st_size


@dataclass(frozen=True)
class Run:
    """One mutmut process, in its copy of the clone."""

    folder: Path
    process: Process

    def count(self) -> tuple[int, int]:
        """(mutants that were tried or refused, all mutants), as mutmut last wrote it."""
        found = COUNT.findall(self.process.log.read_text(errors="replace"))
        tried, total = found[-1] if found else (0, 0)
        return int(tried), int(total)

    def mutants(self) -> list[Mutant]:
        if self.process.popen.returncode:
            raise Refusal(f"mutmut has failed; its last words:\n{self.process.last_words(40)}")
        lines = [line.strip().split(": ") for line in self._ask("results", "--all", "true")]
        return [self._mutant(*line) for line in lines if line[1] != "not checked"]

    def _mutant(self, name: str, word: str) -> Mutant:
        fate = FATES.get(word, Fate.SURVIVED)
        return Mutant(
            place=name.rpartition(".")[0],
            name=name,
            fate=fate,
            change="\n".join(self._changed_lines(name)) if fate is Fate.SURVIVED else "",
        )

    def _changed_lines(self, name: str) -> Iterator[str]:
        for line in self._ask("show", name):
            if line[:1] in ("-", "+") and line[:3] not in ("---", "+++"):
                yield line

    def _ask(self, *question: str) -> list[str]:
        command = [str(BIN / "mutmut"), *question]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=True, text=True)
        return done.stdout.splitlines()


@contextmanager
def _run(modules: Sequence[Path], interrupts: Interrupts) -> Iterator[Run]:
    with throwaway_engines(interrupts=interrupts) as (engines, workshop):
        folder = workshop.folder / "clone"
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED))
        program = Program(
            name="mutmut",
            command=[BIN / "mutmut", "run", "--max-children", "1", *map(_mutants_of, modules)],
            environment={**engines.environment, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            folder=folder,
        )
        yield Run(folder=folder, process=workshop.start(program))


def _mutants_of(module: Path) -> str:
    return ".".join(module.relative_to(ROOT).with_suffix("").parts) + ".*"
