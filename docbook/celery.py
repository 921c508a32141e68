"""The Celery application. Tasks are in each app's `tasks` module."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docbook.settings.prod")

app = Celery("docbook")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def configure_logs(**_kwargs: Any) -> None:
    """Keeps Celery from installing its own handlers. Ours are in place since Django's setup."""
