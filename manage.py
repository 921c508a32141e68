#!/usr/bin/env python
"""Django's command line, with development settings unless told otherwise."""

import os
import sys

from django.core.management import execute_from_command_line

# These make tables or switch triggers, which the role that serves may not: docs/database-roles.md.
BY_THE_OWNER = ("migrate", "seed_demo")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docbook.settings.dev")
    if sys.argv[1:2] == ["migrate"]:
        # An index on a large table takes minutes. The lock timeout stays: a migration that waits
        # for a lock has everybody else wait behind it.
        os.environ["DATABASE_STATEMENT_TIMEOUT_MS"] = "0"
    if sys.argv[1:2] and sys.argv[1] in BY_THE_OWNER and os.environ.get("MIGRATION_DATABASE_URL"):
        os.environ["DATABASE_URL"] = os.environ["MIGRATION_DATABASE_URL"]
        for other_password in ("DATABASE_PASSWORD", "DATABASE_PASSWORD_FILE"):
            os.environ.pop(other_password, None)
    execute_from_command_line(sys.argv)
