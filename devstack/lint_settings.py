"""Test settings plus the migration linter, which no running DocBook needs."""

from docbook.settings.test import *  # noqa: F403
from docbook.settings.test import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]
