"""`make mutate`: the code is broken in one place at a time. A mutant that no test notices shows
what no test checks.

- `make mutate`: all, an hour or two;
- `make mutate ARGS=services`: the services and the rules;
- `make mutate ARGS=sql`: the functions of the database;
- `make mutate ARGS="sql again"`: of them, what survived the recorded run or has changed since;
- `make mutate ARGS="bookings/holding/services/holds.py"`: one module, or several;
- `make mutate ARGS="sql bookings_confirm"`: one function, or several.

Figures of full runs are written to docs/results.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from devstack.layout import shown
from devstack.refusals import Interrupted, Refusal
from proof.mutation.functions import mutate_functions, mutate_survivors
from proof.mutation.services import MODULES, mutate_services
from proof.mutation.verdicts import Mutant, Verdicts

SERVICES, SQL, AGAIN = "services", "sql", "again"


def main(arguments: Sequence[str]) -> int:
    chosen: list[str] = _parser().parse_args(arguments).what
    if {"DATABASE_URL", "REDIS_URL"} & set(os.environ):
        raise Refusal("Two of each engine are needed: unset DATABASE_URL and REDIS_URL.")
    if chosen == [SQL, AGAIN]:
        _show("functions", mutate_survivors(), whole=True)
    elif chosen[:1] == [SQL]:
        _show("functions", mutate_functions(chosen[1:]), whole=len(chosen) == 1)
    elif chosen and chosen != [SERVICES]:
        _show("services", mutate_services([_module(name) for name in chosen]), whole=False)
    else:
        _show("services", mutate_services(MODULES), whole=True)
        if not chosen:
            _show("functions", mutate_functions([]), whole=True)
    return 0


def _show(of: str, mutants: Sequence[Mutant], *, whole: bool) -> None:
    verdicts = Verdicts(of, mutants)
    verdicts.show()
    if whole:
        verdicts.write()


def _module(name: str) -> Path:
    path = (Path.cwd() / name).resolve()
    if path not in MODULES:
        choice = "\n".join(f"    {shown(each)}" for each in MODULES)
        raise Refusal(f"{name} is not broken here. Choose {SERVICES}, {SQL}, or of\n{choice}")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make mutate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="*", metavar="what")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refusal as refusal:
        sys.exit(str(refusal))
    except Interrupted:
        sys.exit(130)
