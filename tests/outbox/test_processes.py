"""A real relay, real workers, a real queue and a real mail server, and faults in each."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from celery import Celery
from django.conf import settings
from django.db import connection

from devstack import programs
from devstack.interrupts import Interrupts
from devstack.processes import Process, Workshop, stop
from devstack.valkey import Valkey, start_valkey, wait_for_valkey
from docbook.outbox.models import OutboxMessage
from docbook.outbox.selectors import outbox_status
from tests.bookings.acts import attempt, bookable, guest
from tests.journeys.stack import eventually
from tests.outbox.relay import wake
from tests.smtp import ACCEPTED, Post, post_office

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 12


@dataclass
class Behind:
    """The processes behind the web: started and killed one by one."""

    workshop: Workshop
    valkey: Valkey
    post: Post
    running: list[Process]

    @property
    def environment(self) -> dict[str, str]:
        server = urlsplit(os.environ["DATABASE_URL"])
        database = str(connection.settings_dict["NAME"])
        return {
            "DJANGO_SETTINGS_MODULE": "docbook.settings.dev",
            "DATABASE_URL": urlunsplit(server._replace(path=f"/{database}")),
            "REDIS_URL": self.valkey.url(),
            "CELERY_BROKER_URL": self.valkey.url(1),
            "EMAIL_URL": self.post.url,
            "OTP_KEYS": ",".join(settings.OTP_KEYS),
        }

    def start(self, name: str) -> Process:
        program = getattr(programs, name)(environment=self.environment)
        self.running.append(self.workshop.start(program))
        return self.running[-1]


@contextmanager
def background(folder: Path) -> Iterator[Behind]:
    with ExitStack() as running:
        workshop = Workshop(folder=folder, interrupts=Interrupts())
        workshop.open()
        post = running.enter_context(post_office())
        valkey = start_valkey(home=folder / "valkey", workshop=workshop, durable=False)
        running.callback(valkey.stop)
        wait_for_valkey(valkey, workshop=workshop)
        behind = Behind(workshop=workshop, valkey=valkey, post=post, running=[])
        running.callback(lambda: stop(behind.running))
        yield behind


def everybody_asks_for_a_code(people: int = PEOPLE) -> list[OutboxMessage]:
    visit_type, slots = bookable(count=people)
    for number, slot in enumerate(slots):
        address = f"person-{number}@example.test"
        attempt(slot, visit_type=visit_type, holder=guest(), email=address)
    return list(OutboxMessage.objects.all())


def all_handed_out(times: int) -> bool:
    return not OutboxMessage.objects.filter(handed_out__lt=times).exists()


def all_done() -> bool:
    return not OutboxMessage.objects.filter(done_at__isnull=True).exists()


def test_mails_of_an_hour_without_workers_are_sent_once_each_when_one_is_back(tmp_path) -> None:
    with background(tmp_path) as behind:
        messages = everybody_asks_for_a_code()
        behind.start("relay")
        for times in (1, 2, 3):
            eventually(lambda times=times: all_handed_out(times), what=f"copy {times} of each")
            wake(*messages)
        assert behind.post.mails == []
        behind.start("worker")
        eventually(all_done, what="every message settled")
        to = Counter(address for each in behind.post.recipients for address in each)
    assert to == {f"person-{number}@example.test": 1 for number in range(PEOPLE)}
    status = outbox_status()
    assert (status.waiting, status.delivered, status.duplicates) == (0, PEOPLE, 0)


def test_worker_that_is_killed_while_the_mail_server_says_yes_makes_one_duplicate(tmp_path) -> None:
    with background(tmp_path) as behind:
        (message,) = everybody_asks_for_a_code(people=1)
        first = behind.start("worker")

        def kill_the_worker(_mail: object) -> str:
            if not first.has_ended():
                os.kill(first.popen.pid, signal.SIGKILL)
                first.popen.wait()
            return ACCEPTED

        behind.post.before_answer = kill_the_worker
        behind.start("relay")
        eventually(first.has_ended, what="the end of the first worker")
        behind.start("worker")
        wake(message)
        eventually(all_done, what="the message settled")
        ids = [mail["Message-ID"] for mail in behind.post.mails]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    status = outbox_status()
    assert (status.waiting, status.delivered, status.duplicates) == (0, 1, 1)


def test_worker_that_is_killed_in_a_batch_loses_nobody_and_counts_every_second_copy(
    tmp_path,
) -> None:
    """Killed while the server takes the third mail of a batch: some of it is out, some is not."""
    with background(tmp_path) as behind:
        messages = everybody_asks_for_a_code()
        first = behind.start("worker")

        def kill_the_worker(_mail: object) -> str:
            if len(behind.post.mails) == 2 and not first.has_ended():
                os.kill(first.popen.pid, signal.SIGKILL)
                first.popen.wait()
            return ACCEPTED

        behind.post.before_answer = kill_the_worker
        behind.start("relay")
        eventually(first.has_ended, what="the end of the first worker")
        out_before = len(behind.post.mails)
        behind.start("worker")
        wake(*messages)
        eventually(all_done, what="every message settled")
        to = Counter(address for each in behind.post.recipients for address in each)
        ids = {(str(mail["To"]), str(mail["Message-ID"])) for mail in behind.post.mails}
    assert len(to) == len(ids) == PEOPLE
    assert set(to.values()) == {1, 2}
    twice = sum(times - 1 for times in to.values())
    status = outbox_status()
    assert out_before >= 3
    assert twice <= status.duplicates <= PEOPLE
    assert (status.waiting, status.delivered) == (0, PEOPLE)


def test_scan_that_takes_minutes_keeps_no_code_waiting(tmp_path) -> None:
    """The expansion of all doctors waits for a lock; the code arrives all the same."""
    with background(tmp_path) as behind, ExitStack() as locks:
        messages = everybody_asks_for_a_code(people=1)
        held_up = locks.enter_context(psycopg.connect(behind.environment["DATABASE_URL"]))
        held_up.execute("LOCK TABLE doctors_availabilityrule IN ACCESS EXCLUSIVE MODE")
        broker = Celery(broker=behind.valkey.url(1), set_as_current=False)
        locks.callback(broker.close)
        broker.send_task("doctors.expand_slots", queue="upkeep")
        for name in ("upkeep", "worker", "relay"):
            behind.start(name)
        eventually(lambda: is_waiting_for_a_lock(held_up), what="the expansion under way")
        eventually(all_done, what="the code sent")
        assert is_waiting_for_a_lock(held_up)
    assert len(messages) == len(behind.post.mails) == 1


def is_waiting_for_a_lock(other: psycopg.Connection) -> bool:
    row = other.execute(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchone()
    return bool(row and row[0])
