"""Mutants of the functions of the database, where holds and confirmations happen.

The current definition of each function is changed in one place (see operators.py) in a test
database. The tests that reach it run until one fails, and the definition is restored. Two processes
share the mutants, each on its own engines.

A mutant that was noticed stays noticed while its function and the tests stay. So after new tests
it is enough to try the survivors of the recorded run again, and the functions that have changed.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.console import ProgressLine, say
from devstack.engines import throwaway_engines
from devstack.functions import PLACES, Functions
from devstack.interrupts import Interrupts, interrupts_noted
from devstack.layout import ROOT
from devstack.processes import Process, Program
from devstack.refusals import Refusal
from proof.mutation.verdicts import Fate, Mutant
from proof.report import RESULTS
from proof.revisions import code_of

RECORD = RESULTS / "mutation-functions.json"
AT_ONCE = 2
LONGEST = 4 * 3600.0


def mutate_functions(names: Sequence[str]) -> list[Mutant]:
    """Of these functions, or of all."""
    return _tried({"functions": names})


def mutate_survivors() -> list[Mutant]:
    """Of all functions; what was noticed in the recorded run counts as it did."""
    record = json.loads(RECORD.read_text())
    now, before = _functions_at(ROOT), _functions_of(record["revision"])
    same = {name for name, text in now.items() if before.get(name) == text}
    again = [
        (each["name"], each["change"]) for each in record["survivors"] if each["place"] in same
    ]
    tried = _tried({"functions": sorted(set(now) - same), "mutants": again})
    counts = [row for row in record["tables"]["By place"] if row["place"] in same]
    return tried + [
        Mutant(place=row["place"], name="as recorded", fate=fate)
        for row in counts
        for fate in (Fate.KILLED, Fate.TIMEOUT, Fate.REFUSED)
        for _ in range(row[fate.value])
    ]


def _functions_of(revision: str) -> dict[str, str]:
    with code_of(revision) as folder:
        return _functions_at(folder)


def _functions_at(root: Path) -> dict[str, str]:
    """The statement of each function of the files, by name."""
    texts = [path.read_text() for sql, _ in PLACES.values() for path in (root / sql).glob("*.sql")]
    functions = Functions.of("\n".join(texts)).functions
    return {name: found.group() for name, found in functions.items()}


def _tried(wanted: Mapping[str, object]) -> list[Mutant]:
    say("The tests once without a mutant, a minute or two; then the mutants.")
    with interrupts_noted() as interrupts, ExitStack() as running:
        runs = [
            running.enter_context(_run(number, wanted, interrupts)) for number in range(AT_ONCE)
        ]
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
def _run(number: int, wanted: Mapping[str, object], interrupts: Interrupts) -> Iterator[Run]:
    with throwaway_engines(interrupts=interrupts) as (engines, workshop):
        found = workshop.folder / "found.jsonl"
        choice = workshop.folder / "wanted.json"
        choice.write_text(json.dumps(wanted))
        share = [str(found), str(number), str(AT_ONCE), str(choice)]
        program = Program(
            name="mutants",
            command=[sys.executable, "-m", "proof.mutation.nursery", *share],
            environment=engines.environment,
        )
        yield Run(found=found, process=workshop.start(program))
