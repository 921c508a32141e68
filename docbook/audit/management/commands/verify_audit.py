"""`manage.py verify_audit`: checks that nobody has changed the past."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from docbook.audit import verification
from docbook.audit.models import AuditSeal
from docbook.snapshot import one_snapshot_for_a_command


class Command(BaseCommand):
    help = "Recomputes the chain of audit seals; says where it breaks, with exit code 1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--witness",
            type=_witness,
            metavar="NUMBER:DIGEST",
            help="a seal that was seen elsewhere, as in the log line audit_sealed",
        )

    def handle(self, *, witness: tuple[int, str] | None, **_options: Any) -> None:
        with one_snapshot_for_a_command():
            sentences = [each.sentence for each in verification.breaks()]
            if witness and verification.contradicts(number=witness[0], digest=witness[1]):
                sentences.append(f"Seal {witness[0]} is not the one that was witnessed.")
            self._summarise()
        for sentence in sentences:
            self.stdout.write(sentence)
        if sentences:
            raise SystemExit(1)
        self.stdout.write("The chain is unbroken.")

    def _summarise(self) -> None:
        last = AuditSeal.objects.order_by("-number").first()
        waiting = verification.unsealed_events()
        if last:
            self.stdout.write(f"{last.number} seals, the last {last.number}:{last.digest}.")
        self.stdout.write(f"{waiting} events wait for their seal.")


def _witness(text: str) -> tuple[int, str]:
    number, _colon, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise ArgumentTypeError("write a number, a colon and 64 hexadecimal digits")
    return int(number), digest.lower()
