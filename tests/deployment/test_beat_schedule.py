"""What beat asks for, the workers know; and what no worker took in time is never run."""

from datetime import timedelta

import pytest
from celery import current_app
from celery.schedules import crontab
from django.conf import settings

ENTRIES = settings.CELERY_BEAT_SCHEDULE


def pause_of(entry: dict) -> timedelta:
    schedule = entry["schedule"]
    return timedelta(days=1) if isinstance(schedule, crontab) else schedule


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_names_a_task_that_the_workers_have(name):
    current_app.loader.import_default_modules()
    assert ENTRIES[name]["task"] in current_app.tasks


@pytest.mark.parametrize("name", ENTRIES)
def test_every_run_expires_before_its_next(name):
    expires = timedelta(seconds=ENTRIES[name]["options"]["expires"])
    assert timedelta() < expires <= pause_of(ENTRIES[name])


def test_everything_that_grows_is_tidied():
    purges = {entry["task"] for name, entry in ENTRIES.items() if name.startswith("purge-")}
    assert purges == {
        "accounts.purge_refresh_sessions",
        "bookings.purge_ended_holds",
        "bookings.purge_ended_waits",
        "http.purge_idempotency_records",
        "http.purge_sessions",
        "outbox.purge_done_messages",
    }
