"""`manage.py check_invariants`: checks every promise about the data, on a live system."""

import json
from argparse import ArgumentParser
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bookings.invariants.checks import CODES, Result, check_invariants
from bookings.invariants.history import BrokenHistory, Event, read_history
from docbook.observability import metrics
from docbook.snapshot import one_snapshot_for_a_command


class Command(BaseCommand):
    help = "Looks whether any promise about the data is broken; then exit code 1, and which ids."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--history", nargs="+", type=Path, metavar="FILE", help="what clients have recorded"
        )
        parser.add_argument("--only", nargs="+", choices=CODES, default=CODES, metavar="I05")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, history: list[Path] | None, only: Collection[str], **options: Any) -> None:
        events = _read(history) if history else None
        with one_snapshot_for_a_command():
            results = list(check_invariants(events=events, only=only))
        if set(only) == set(CODES):  # after a repair the metric falls at once
            found = {each.code: each.finding.count for each in results if each.finding}
            metrics.publish_violations(found, of="everything")
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(results)))
        else:
            self._print_table(results)
        if any(each.is_broken for each in results):
            raise SystemExit(1)

    def _print_table(self, results: Sequence[Result]) -> None:
        for each in results:
            self.stdout.write(
                f"{each.code}  {_state(each):<10} {each.seconds:6.2f} s  {each.sentence}"
            )
        for each in results:
            if each.finding and each.is_broken:
                self.stdout.write(f"\n{each.code} is broken {each.finding.count} times:")
                for example in each.finding.examples:
                    self.stdout.write(f"  {example.where}: {example.what}")
        looked_at = [each for each in results if each.finding is not None]
        broken = sum(each.is_broken for each in looked_at)
        seconds = sum(each.seconds for each in results)
        if without := len(results) - len(looked_at):
            self.stdout.write(f"\n{without} not looked at: they need --history.")
        self.stdout.write(f"\n{broken or 'None'} of {len(looked_at)} broken, in {seconds:.1f} s.")


def _read(paths: list[Path]) -> list[Event]:
    try:
        return read_history(paths)
    except (OSError, BrokenHistory) as error:
        raise CommandError(str(error)) from error


def _state(result: Result) -> str:
    if result.finding is None:
        return "no history"
    return "BROKEN" if result.is_broken else "ok"


def _as_json(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "ok": not any(each.is_broken for each in results),
        "invariants": [
            {
                "code": each.code,
                "sentence": each.sentence,
                "violations": each.finding.count if each.finding else None,
                "examples": [asdict(one) for one in each.finding.examples] if each.finding else [],
                "seconds": round(each.seconds, 3),
            }
            for each in results
        ],
    }
