"""Mutants of the functions of the database, where holds and confirmations happen.

The current definition of each function is changed in one place (see operators.py) in a test
database. The tests that reach it run until one fails, and the definition is restored. Two processes
share the mutants, each on its own engines.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.console import ProgressLine, say
from devstack.engines import throwaway_engines
from devstack.interrupts import Interrupts, interrupts_noted
from devstack.processes import Process, Program
from devstack.refusals import Refusal
from proof.mutation.verdicts import Fate, Mutant

AT_ONCE = 2
LONGEST = 4 * 3600.0


def mutate_functions(names: Sequence[str]) -> list[Mutant]:
    say("The tests once without a mutant, a minute or two; then the mutants.")
    with interrupts_noted() as interrupts, ExitStack() as running:
        runs = [running.enter_context(_run(number, names, interrupts)) for number in range(AT_ONCE)]
        line = ProgressLine(label="Mutants", total=1)

        def all_have_ended() -> bool:
            found = [run.lines() for run in runs]
            line.total = max([1, *(int(lines[0]) for lines in found if lines)])
            line.show(sum(len(lines) - 1 for lines in found if lines))
            return all(run.process.has_ended() for run in runs)

        interrupts.wait_until(all_have_ended, timeout=LONGEST)
        line.clear()
        return [mutant for run in runs for mutant in run.mutants()]


@dataclass(frozen=True)
class Run:
    """One process at work. It writes into `found` how many mutants there are, then each of
    its own.
    """

    found: Path
    process: Process

    def lines(self) -> list[str]:
        return self.found.read_text().splitlines() if self.found.exists() else []

    def mutants(self) -> list[Mutant]:
        if self.process.popen.returncode:
            raise Refusal(f"The mutants could not be tried:\n{self.process.last_words(40)}")
        found = [json.loads(line) for line in self.lines()[1:]]
        return [Mutant(**{**each, "fate": Fate(each["fate"])}) for each in found]


@contextmanager
def _run(number: int, names: Sequence[str], interrupts: Interrupts) -> Iterator[Run]:
    with throwaway_engines(interrupts=interrupts) as (engines, workshop):
        found = workshop.folder / "found.jsonl"
        share = [str(found), str(number), str(AT_ONCE), *names]
        program = Program(
            name="mutants",
            command=[sys.executable, "-m", "proof.mutation.nursery", *share],
            environment=engines.environment,
        )
        yield Run(found=found, process=workshop.start(program))
