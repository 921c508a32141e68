"""`manage.py outbox_status`: what waits, what was given up, and what went out, also twice."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from docbook.outbox.selectors import outbox_status

_LABELS = {
    "waiting": "Waiting",
    "oldest_seconds": "Oldest, in seconds",
    "dead": "Given up",
    "refused": "Refused by the recipient",
    "delivered": "Delivered",
    "duplicates": "Duplicates",
}


class Command(BaseCommand):
    help = (
        "Counts outbox messages and deliveries. A duplicate is a copy that went out although an "
        "earlier one may have arrived."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, **options: Any) -> None:
        found = asdict(outbox_status())
        found["oldest_seconds"] = round(found["oldest_seconds"])
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        for name, value in found.items():
            self.stdout.write(f"{_LABELS[name]:<26}{value}")
