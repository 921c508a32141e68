"""`manage.py demo_tokens --count N`: access tokens for load generators, one per line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from accounts.tokens import access_token


class Command(BaseCommand):
    help = "Prints access tokens of the demo patients patient-1 … patient-N."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=1)

    def handle(self, **options: Any) -> None:
        emails = [f"patient-{n}@demo.docbook.test" for n in range(1, options["count"] + 1)]
        ids = dict(User.objects.filter(email__in=emails).values_list("email", "pk"))
        if len(ids) < len(emails):
            raise CommandError(f"There are only {len(ids)} of these demo patients here.")
        now = timezone.now()
        for email in emails:
            self.stdout.write(access_token(user_id=ids[email], email=email, now=now))
