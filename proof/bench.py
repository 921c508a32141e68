"""`make bench`: how fast DocBook is, each time next to something that is measured in the same run.

make bench                               bookings, next to PostgreSQL alone: five rounds
make bench ARGS="--rounds 9"             more of them
make bench ARGS=--profile                and where the time goes: three minutes more
make bench ARGS="--against REVISION"     beside the bookings of another revision
make bench SUITE=pages                   what a page costs, two minutes
make bench SUITE=pages ARGS="--against REVISION"
make bench SUITE=told                    what a booking costs until both its mails are delivered
make bench SUITE=told ARGS="--against REVISION"
make bench SUITE=growth                  what work costs after ten million past visits; half an hour
make bench SUITE=growth ARGS="--size medium"    after one million, ten minutes; or small: 100,000
make bench SUITE=desk                    how soon a caller is found among 200,000 patients
make bench SUITE=peers                   how to get another scheduler, to measure it beside this one
make bench SUITE=peers ARGS="--peer PATH"       with it, five minutes
make bench SUITE=capacity                how many cores so many bookings a day need, by the records

Figures of full size go into docs/results, others into .dev/results.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from devstack.refusals import Interrupted, Refusal
from proof import booking_load, capacity, desk, growth, pages, told
from proof.pages import compare_pages
from proof.peers import sides
from proof.peers.suite import compare_with_peer
from proof.report import Report
from proof.speed import booking
from proof.versus import compare_bookings


@dataclass(frozen=True)
class Suite:
    """`run` takes a size of this kind, and the values of these options by name."""

    size: type[Any]
    run: Callable[..., Report]
    options: Sequence[str] = ()


def _bookings(size: booking_load.Size, *, profile: bool, against: str) -> Report:
    if against:
        return compare_bookings(size, against=against)
    return booking(size, profile=profile)


SUITES: Mapping[str, Suite] = {
    "booking": Suite(booking_load.Size, _bookings, ("profile", "against")),
    "pages": Suite(pages.Size, compare_pages, ("against",)),
    "told": Suite(told.Size, told.told, ("against",)),
    "growth": Suite(growth.Size, growth.growth),
    "capacity": Suite(capacity.Size, capacity.capacity),
    "desk": Suite(desk.Size, desk.desk),
    "peers": Suite(sides.Size, compare_with_peer, ("peer",)),
}

_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "profile": {"action": "store_true", "help": "print where the time goes"},
    "against": {"default": "", "help": "a revision to measure beside this one"},
    "peer": {"default": "", "help": "a virtual environment with another scheduler"},
}


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 if a promise was broken."""
    chosen = vars(_parser().parse_args(arguments))
    suite = SUITES[chosen.pop("suite")]
    options = {name: chosen.pop(name) for name in suite.options}
    size = suite.size(**chosen)
    report = suite.run(size, **options)
    report.show()
    report.write(
        # In its own file: a profile must not replace a record of the speed.
        name="bench-profile" if options.get("profile") else "bench",
        # Figures next to another revision or scheduler depend on that, so they are no record.
        is_record=size == suite.size() and not (options.get("against") or options.get("peer")),
    )
    return 0 if report.is_clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    by_name = parser.add_subparsers(dest="suite", required=True)
    for name, suite in SUITES.items():
        of_suite = by_name.add_parser(name)
        at_most_one = of_suite.add_mutually_exclusive_group()
        for option in suite.options:
            at_most_one.add_argument(f"--{option}", **_OPTIONS[option])
        for each in fields(suite.size):
            of_suite.add_argument(f"--{each.name}", type=type(each.default), default=each.default)
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refusal as refusal:
        sys.exit(str(refusal))
    except Interrupted:
        sys.exit(130)
