"""The workers know what beat asks for, and a task that no worker took in time never runs."""

from datetime import timedelta

import pytest
import yaml
from celery import current_app
from celery.schedules import crontab
from django.conf import settings

from devstack import programs
from devstack.layout import ROOT
from docbook.outbox import topics

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


def test_no_task_is_given_to_a_second_worker_while_the_first_is_still_at_work():
    """Redis hands a task out again that nobody has acknowledged, and a task is acknowledged at its
    end.
    """
    limits = [each["time_limit"] for each in settings.CELERY_TASK_ANNOTATIONS.values()]
    with current_app.connection() as broker:
        patience = broker.default_channel.visibility_timeout
    assert patience > max(*limits, settings.CELERY_TASK_TIME_LIMIT)


def test_everything_that_grows_is_tidied():
    purges = {entry["task"] for name, entry in ENTRIES.items() if name.startswith("purge-")}
    assert purges == {
        "accounts.purge_codes",
        "accounts.purge_refresh_sessions",
        "bookings.purge_ended_holds",
        "bookings.purge_ended_waits",
        "http.purge_idempotency_records",
        "http.purge_sessions",
        "outbox.purge_done_messages",
    }


def test_every_queue_has_a_worker():
    """In compose and on one machine. A queue that nobody reads keeps its tasks forever."""
    queues = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    named = {entry["options"].get("queue", "upkeep") for entry in ENTRIES.values()}
    assert named | set(topics.QUEUES) == queues
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    in_compose = [
        word for each in services for word in each.get("command", []) if "--queues" in word
    ]
    assert {queue for word in in_compose for queue in word.partition("=")[2].split(",")} == queues
    started = [programs.worker(environment={}).command, programs.upkeep(environment={}).command]
    read = {queue for line in started for queue in line[line.index("-Q") + 1].split(",")}
    assert read == queues


def test_codes_are_taken_first():
    (line,) = [programs.worker(environment={}).command]
    assert line[line.index("-Q") + 1].startswith(topics.CODES)
    assert settings.CELERY_BROKER_TRANSPORT_OPTIONS["queue_order_strategy"] == "priority"


@pytest.mark.parametrize("task", settings.CELERY_TASK_ANNOTATIONS)
def test_long_task_with_a_limit_of_its_own_is_one_that_the_workers_have(task):
    current_app.loader.import_default_modules()
    assert task in current_app.tasks
