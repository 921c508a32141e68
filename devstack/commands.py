"""The commands, once the virtualenv is complete: `python -m devstack.commands NAME …`."""

import sys
from collections.abc import Callable, Mapping, Sequence

from devstack import (
    checks,
    cleaning,
    formatting,
    functions,
    lighthouse,
    locks,
    runner,
    schema,
    screenshots,
    states,
    suite,
)
from devstack.refusals import Interrupted, Refusal

Command = Callable[[Sequence[str]], int]

COMMANDS: Mapping[str, Command] = {
    "run": runner.run,
    "test": suite.run_tests,
    "with-engines": suite.run_with_engines,
    "proof": suite.run_proof,
    "bench": suite.run_bench,
    "lighthouse": lighthouse.run,
    "screenshots": screenshots.run,
    "mutate": suite.run_mutation,
    "check": checks.run_checks,
    "format": formatting.format_all,
    "openapi": schema.write_snapshot,
    "journeys": suite.write_journeys,
    "functions": functions.write_migrations,
    "states": states.write_page,
    "lock": locks.write_lock_files,
    "clean": cleaning.clean,
}


def main(arguments: Sequence[str]) -> int:
    name, *rest = arguments or ("",)
    if name not in COMMANDS:
        return _refuse(f"Say what to do: python3 -m devstack {' | '.join(COMMANDS)}")
    try:
        return COMMANDS[name](rest)
    except Refusal as refusal:
        return _refuse(str(refusal))
    except Interrupted:
        return 130


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
