"""`make proof ARGS=races`: pairs of acts at once, in every order of their statements that matters.

make proof ARGS=races                              all pairs, a quarter of an hour
make proof ARGS="races --switches 1"               quicker
make proof ARGS="races --meeting 'hold + sweep'"   pairs whose name contains that
make proof ARGS="races --meeting 'hold + sweep: a part of a lapsed time' --schedule 0:13"
                                                   one schedule, statement by statement

A run of all pairs writes docs/results/races.json, and docs/concurrency.md from it.
make proof ARGS="races --page" only writes the page again.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.console import ProgressLine, report, say
from devstack.engines import throwaway_engines
from devstack.interrupts import Interrupts, interrupts_noted
from devstack.layout import shown
from devstack.processes import Process, Program, Speaks
from devstack.refusals import Refusal
from proof.races.page import PAGE, made
from proof.races.results import Control, Met
from proof.report import RESULTS, TRIALS, show_table, write_results

AT_ONCE = 2
LONGEST = 4 * 3600.0
SWITCHES, MINUTES = 2, 30.0
SETTINGS = {"DJANGO_SETTINGS_MODULE": "docbook.settings.test"}


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 if an end was wrong, or a guard was not missed."""
    chosen = _parser().parse_args(arguments)
    if chosen.page:
        return _write_page()
    if chosen.schedule:
        return _replay(chosen.meeting, chosen.schedule)
    if {"DATABASE_URL", "REDIS_URL"} & set(os.environ):
        raise Refusal("Two of each engine are needed: unset DATABASE_URL and REDIS_URL.")
    lines = _explore([str(chosen.switches), str(chosen.minutes), chosen.meeting])
    met = [Met.of_row(line["met"]) for line in lines if "met" in line]
    controls = [Control(**line["control"]) for line in lines if "control" in line]
    if not met:
        raise Refusal(f"No meeting has {chosen.meeting!r} in its name.")
    _show(met, controls)
    content = {
        "meetings": [each.as_row() for each in sorted(met, key=lambda each: each.name)],
        "controls": [each.as_row() for each in sorted(controls, key=lambda each: each.guard)],
    }
    write_results("races", content, folder=TRIALS if chosen.meeting else RESULTS)
    if not chosen.meeting:
        _write_page()
    is_clean = not any(each.faults for each in met) and all(each.faults for each in controls)
    return 0 if is_clean else 1


def _write_page() -> int:
    PAGE.write_text(made())
    report("Page", f"{shown(PAGE)} written")
    return 0


def _show(met: Sequence[Met], controls: Sequence[Control]) -> None:
    say("\nMeetings")
    show_table(
        [
            {
                "meeting": each.name,
                "schedules": each.schedules,
                "ends": "; ".join(" / ".join(way.results) for way in each.ways),
            }
            for each in met
        ]
    )
    for each in met:
        for fault in each.faults[:3]:
            say(f"  WRONG  {each.name}: {fault}")
    say("\nGuards taken away")
    show_table(
        [
            {
                "guard": each.guard,
                "found": "; ".join(each.faults) or "NOTHING",
                "after schedules": each.schedules,
            }
            for each in controls
        ]
    )
    say()
    report("Meetings", str(len(met)))
    report("Schedules", str(sum(each.schedules for each in met)))
    report("Wrong ends", str(sum(len(each.faults) for each in met)))
    missed = sum(bool(each.faults) for each in controls)
    report("Guards missed", f"{missed} of {len(controls)}")


def _explore(arguments: Sequence[str]) -> list[dict[str, Any]]:
    with interrupts_noted() as interrupts, ExitStack() as running:
        shares = [
            running.enter_context(_share(number, arguments, interrupts))
            for number in range(AT_ONCE)
        ]
        line = ProgressLine(label="Meetings and guards", total=1)

        def all_have_ended() -> bool:
            found = [share.lines() for share in shares]
            line.total = max(1, sum(int(lines[0]) for lines in found if lines))
            line.show(sum(len(lines) - 1 for lines in found if lines))
            return all(share.process.has_ended() for share in shares)

        interrupts.wait_until(all_have_ended, timeout=LONGEST)
        line.clear()
        return [json.loads(each) for share in shares for each in share.results()]


@dataclass(frozen=True)
class Share:
    found: Path
    process: Process

    def lines(self) -> list[str]:
        return self.found.read_text().splitlines() if self.found.exists() else []

    def results(self) -> list[str]:
        if self.process.popen.returncode:
            raise Refusal(f"Nothing could be explored:\n{self.process.last_words(40)}")
        return self.lines()[1:]


@contextmanager
def _share(number: int, arguments: Sequence[str], interrupts: Interrupts) -> Iterator[Share]:
    with throwaway_engines(interrupts=interrupts) as (engines, workshop):
        found = workshop.folder / "found.jsonl"
        command = [sys.executable, "-m", "proof.races.share", str(found), str(number)]
        program = Program(
            name="races",
            command=[*command, str(AT_ONCE), *arguments],
            environment={**engines.environment, **SETTINGS},
        )
        yield Share(found=found, process=workshop.start(program))


def _replay(meeting: str, schedule: str) -> int:
    with (
        interrupts_noted() as interrupts,
        throwaway_engines(interrupts=interrupts) as (engines, workshop),
    ):
        program = Program(
            name="replay",
            command=[sys.executable, "-m", "proof.races.replay", meeting, schedule],
            environment={**engines.environment, **SETTINGS},
            speaks=Speaks.TERMINAL,
        )
        return workshop.run(program)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make proof ARGS=races",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--meeting", default="", help="a part of its name")
    parser.add_argument("--switches", type=int, default=SWITCHES, help="at most so many")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="then the rest with one switch"
    )
    parser.add_argument("--page", action="store_true", help="only write docs/concurrency.md")
    parser.add_argument("--schedule", default="", help="only this one, of one meeting")
    return parser
