"""`manage.py sweep_holds`: runs once what beat runs every 15 seconds."""

from typing import Any

from django.core.management.base import BaseCommand

from bookings.engine.services import sweep_holds


class Command(BaseCommand):
    help = "Marks holds whose time is over and opens their slots."

    def handle(self, **_options: Any) -> None:
        self.stdout.write(f"{sweep_holds()} holds expired")
