"""`manage.py expand_slots`: brings slots in line with the rules, like the beat task."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from docbook.observability.progress import Progress
from doctors.models import Doctor
from doctors.services.expansion import expand_slots


class Command(BaseCommand):
    help = "Makes slots from the doctors' weekly rules. May run at any time and repeatedly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days",
            type=_positive,
            help="how many local days from today, instead of each doctor's horizon",
        )
        parser.add_argument(
            "--doctor", type=int, action="append", help="the id of a doctor; may be repeated"
        )

    def handle(self, *, days: int | None, doctor: list[int] | None, **_options: Any) -> None:
        total = len(doctor) if doctor else Doctor.objects.count()
        result = expand_slots(
            doctor_ids=doctor,
            now=timezone.now(),
            days=days,
            progress=Progress(self.stdout, label="Doctors", total=total),
        )
        self.stdout.write(
            f"Doctors: {result.doctors:,}; slots added: {result.added:,},"
            f" removed: {result.removed:,}."
        )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("write a whole number from 1 on")
    return int(text)
