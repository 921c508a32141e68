"""`manage.py seal_audit`: runs once what beat runs every ten seconds."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from docbook.audit.seals import TransactionsBeganAnew, seal_events


class Command(BaseCommand):
    help = "Seals the audit events that no running transaction can join any more."

    def handle(self, **_options: Any) -> None:
        try:
            self.stdout.write(f"{seal_events()} events sealed")
        except TransactionsBeganAnew as error:
            raise CommandError(
                "This server's transactions are numbered from below the last seal. Was a dump"
                " restored? docs/adr/0006-the-audit-is-sealed-in-batches.md says what to do."
            ) from error
