"""Explores its share: `python -m proof.races.share FOUND NUMBER OF SWITCHES MINUTES NAME`.

On a test database of its own. Writes into FOUND how many meetings and guards there are, then a line
of JSON for each.
"""

import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import django
from django.db import connection
from django.test.utils import setup_test_environment

from proof.races.results import Control, Met, Way

django.setup()

# Models, once Django is set up.
from proof.races.explorer import ENOUGH, Explored, explore_without, exploring  # noqa: E402
from proof.races.guards import GUARDS, Guard  # noqa: E402
from proof.races.meetings import MEETINGS, Meeting  # noqa: E402


def main(arguments: Sequence[str]) -> None:
    found, number, of, switches, minutes, name = arguments
    setup_test_environment()
    logging.disable()
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    ends_at = time.monotonic() + 60 * float(minutes)
    share = slice(int(number), None, int(of))
    with Path(found).open("w", buffering=1) as report:
        report.write(f"{len(_meetings(share, name)) + len(_guards(share, name))}\n")
        for met in _met(share, name=name, switches=int(switches), ends_at=ends_at):
            report.write(json.dumps({"met": met.as_row()}) + "\n")
        for control in _controls(share, name=name):
            report.write(json.dumps({"control": control.as_row()}) + "\n")
    connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _meetings(share: slice, name: str) -> list[Meeting]:
    return [each for each in MEETINGS if name in each.name][share]


def _guards(share: slice, name: str) -> list[Guard]:
    return [each for each in GUARDS.values() if name in each.shown_by][share]


def _met(share: slice, *, name: str, switches: int, ends_at: float) -> Iterator[Met]:
    """With one switch if there is no time left for more."""
    with exploring() as explorer:
        for meeting in _meetings(share, name):
            most = switches if time.monotonic() < ends_at else min(switches, ENOUGH)
            yield _as_found(explorer.explore(meeting, most_switches=most), switches=most)


def _as_found(explored: Explored, *, switches: int) -> Met:
    """Ends that differ only in rows which nobody is told of are one way."""
    ways: dict[tuple[tuple[str, str], str], str] = {}
    for end, (schedule, why) in explored.ends.items():
        ways.setdefault((end.results, why), str(schedule))
    meeting = explored.meeting
    return Met(
        first=meeting.first,
        second=meeting.second,
        over=meeting.over,
        switches=switches,
        schedules=explored.schedules,
        ways=[Way(results, why, schedule) for (results, why), schedule in ways.items()],
        faults=[f"{each.what} (schedule {each.schedule})" for each in explored.faults],
    )


def _controls(share: slice, *, name: str) -> Iterator[Control]:
    meetings = {each.name: each for each in MEETINGS}
    for guard in _guards(share, name):
        found = explore_without(guard, meetings[guard.shown_by])
        faults = sorted({each.what for each in found.faults})
        yield Control(guard.name, guard.shown_by, found.schedules, faults)


if __name__ == "__main__":
    main(sys.argv[1:])
