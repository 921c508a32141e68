"""`manage.py decrypt_second_factors`: run it before going back to a release without encryption."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from accounts.kept_secrets import decrypt_all


class Command(BaseCommand):
    help = (
        "Writes the secrets of second factors as plain text, for a release that cannot decrypt"
        " them. Stop web, workers and beat first: otherwise they keep encrypting."
    )

    def handle(self, **_options: Any) -> None:
        try:
            count = decrypt_all()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{count} rows decrypted. Now start the previous release: this one encrypts again."
        )
