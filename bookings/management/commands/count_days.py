"""`manage.py count_days`: runs once what beat runs every night, or counts history again."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from bookings.schedule.numbers.services import count_since, recount


class Command(BaseCommand):
    help = "Counts the days that doctors see on the page of their numbers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since",
            type=date.fromisoformat,
            help="also the visits of every day from this one on, like 2026-01-31",
        )

    def handle(self, *, since: date | None, **_options: Any) -> None:
        now = timezone.now()
        changed = count_since(since, now=now) if since else recount(now=now)
        self.stdout.write(f"{changed:,} changes of days")
