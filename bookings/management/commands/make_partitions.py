"""`manage.py make_partitions`: makes months of the appointments' table, like the beat task."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from bookings.upkeep.partitions import make_partitions


class Command(BaseCommand):
    help = "Makes the tables of the months ahead that are not there yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--months", type=int, default=13, help="how many months ahead")

    def handle(self, *, months: int, **_options: Any) -> None:
        made = make_partitions(now=timezone.now(), months_ahead=months)
        for name in made:
            self.stdout.write(name)
        self.stdout.write(f"Months made: {len(made)}.")
