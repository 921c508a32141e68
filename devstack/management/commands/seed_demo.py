"""`manage.py seed_demo`: invented clinics to try DocBook with. Development settings only."""

import resource
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from devstack.demo.cast import PASSWORD, address
from devstack.demo.seed import DemoState, clear_interrupted_demo, demo_state, make_demo
from docbook.observability.progress import Progress


class Command(BaseCommand):
    help = "Fills an empty database with demo clinics, doctors, patients, slots and visits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--doctors", type=_up_to(5_000), default=1_000)
        parser.add_argument("--days", type=_up_to(365), default=60)
        parser.add_argument("--seed", type=int, default=1, help="same seed, same data (on a day)")
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing when there are doctors already"
        )

    def handle(
        self, *, doctors: int, days: int, seed: int, if_empty: bool, **_options: Any
    ) -> None:
        if not settings.DEMO_DATA:
            raise CommandError(
                "Everybody knows the password of the demo's admin: only settings with"
                " DEMO_DATA = True, as in development, may have demo data."
            )
        state = demo_state()
        if state is DemoState.IN_USE and if_empty:
            self.stdout.write("There are doctors already; nothing was added.")
            return
        if state is DemoState.IN_USE:
            raise CommandError("There are doctors already; demo data goes into an empty database.")
        if state is DemoState.INTERRUPTED:
            self.stdout.write("The last time was interrupted; starting over.")
            clear_interrupted_demo()
        self._make(doctors=doctors, days=days, seed=seed)

    def _make(self, *, doctors: int, days: int, seed: int) -> None:
        started = time.monotonic()
        result = make_demo(
            doctors=doctors,
            days=days,
            seed=seed,
            now=timezone.now(),
            progress=Progress(self.stdout, label="Doctors with their calendars", total=doctors),
        )
        self.stdout.write(
            f"{result.doctors:,} doctors, {result.users:,} people, {result.slots:,} slots,"
            f" {result.appointments:,} appointments in {time.monotonic() - started:.0f} s;"
            f" peak memory {_peak_megabytes():.0f} MB."
        )
        people = ", ".join(address(name) for name in ("patient", "doctor", "secretary", "admin"))
        self.stdout.write(f"Sign in as {people} with the password {PASSWORD}.")


def _peak_megabytes() -> float:
    """The largest resident set of this process; the kernels disagree about the unit."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _up_to(largest: int) -> Any:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= largest:
            raise ArgumentTypeError(f"write a whole number from 1 to {largest:,}")
        return int(text)

    return number
