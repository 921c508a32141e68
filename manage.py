#!/usr/bin/env python
"""Django's command line, with development settings unless told otherwise."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docbook.settings.dev")
    if sys.argv[1:2] == ["migrate"]:
        # An index on a large table takes minutes. The lock timeout stays: a migration that waits
        # for a lock has everybody else wait behind it.
        os.environ["DATABASE_STATEMENT_TIMEOUT_MS"] = "0"
    execute_from_command_line(sys.argv)
