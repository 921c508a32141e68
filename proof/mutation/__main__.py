"""`make mutate`: the code broken one place at a time. A mutant that no test notices shows what no
test holds.

make mutate                                      services, rules and functions: about an hour
make mutate ARGS="bookings/services/holds.py"    one module, or several
make mutate ARGS=sql                             the functions of the database
make mutate ARGS="sql bookings_confirm"          one of them, or several

A whole run writes its figures into docs/results.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from devstack.layout import shown
from devstack.refusals import Interrupted, Refusal
from proof.mutation.functions import mutate_functions
from proof.mutation.services import MODULES, mutate_services
from proof.mutation.verdicts import Verdicts

SQL = "sql"


def main(arguments: Sequence[str]) -> int:
    chosen: list[str] = _parser().parse_args(arguments).what
    if {"DATABASE_URL", "REDIS_URL"} & set(os.environ):
        raise Refusal("Two of each engine are needed: unset DATABASE_URL and REDIS_URL.")
    if chosen[:1] != [SQL]:
        _services(chosen)
    if chosen[:1] in ([], [SQL]):
        _functions(chosen[1:])
    return 0


def _services(names: Sequence[str]) -> None:
    modules = [_module(name) for name in names]
    verdicts = Verdicts("services", mutate_services(modules or MODULES))
    verdicts.show()
    if not names:
        verdicts.write()


def _functions(names: Sequence[str]) -> None:
    verdicts = Verdicts("functions", mutate_functions(names))
    verdicts.show()
    if not names:
        verdicts.write()


def _module(name: str) -> Path:
    path = (Path.cwd() / name).resolve()
    if path not in MODULES:
        choice = "\n".join(f"    {shown(each)}" for each in MODULES)
        raise Refusal(f"{name} is not broken here. Choose `{SQL}`, or of\n{choice}")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make mutate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="*", metavar="module | sql [function]")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refusal as refusal:
        sys.exit(str(refusal))
    except Interrupted:
        sys.exit(130)
