"""`make proof`: DocBook under load and faults, judged from outside.

make proof                                      all scenarios, about ten minutes
make proof ARGS="stampede --crowd 100"          one of them
make proof ARGS="mixed --seconds 20 --seed 7"
make proof ARGS=races                           acts at once in every order, a quarter of an hour

Figures of full size go into docs/results, others into .dev/results.
"""

import argparse
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from devstack.console import say
from devstack.refusals import Interrupted, Refusal
from proof.races import run as races
from proof.scenarios import SCENARIOS, Size, run_scenario

# Has its own arguments; see proof.races.
RACES = "races"


def main(arguments: list[str]) -> int:
    """Exit code 1 if a promise was broken."""
    if arguments[:1] == [RACES]:
        return races.main(arguments[1:])
    chosen = _parser().parse_args(arguments)
    names = chosen.scenarios or list(SCENARIOS)
    size = Size(**{field.name: getattr(chosen, field.name) for field in fields(Size)})
    clean = [_is_clean(name, size) for name in names]
    return 0 if all(clean) else 1


def _is_clean(name: str, size: Size) -> bool:
    say(f"\n== {name}")
    report = run_scenario(name, size)
    report.show()
    report.write(name="proof", is_record=size == Size())
    return report.is_clean


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make proof", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS], metavar="scenario")
    for each in fields(Size):
        parser.add_argument(
            f"--{each.name}", type=_more_than_none(type(each.default)), default=each.default
        )
    return parser


def _more_than_none(kind: Any) -> Callable[[str], Any]:
    """A number of this kind above zero: nothing proves nothing."""

    def number(text: str) -> Any:
        value = kind(text)
        if value <= 0:
            raise ArgumentTypeError("must be more than 0")
        return value

    return number


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refusal as refusal:
        sys.exit(str(refusal))
    except Interrupted:
        sys.exit(130)
