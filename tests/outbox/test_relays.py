"""Several relays, and the command that runs one."""

import threading
import time
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from kombu.exceptions import OperationalError as BrokerError

from docbook.outbox.management.commands import relay_outbox
from docbook.outbox.models import OutboxMessage
from docbook.outbox.receiving import Copy, receive
from docbook.outbox.services import asleep
from tests.concurrency.rush import rush
from tests.outbox.relay import URGENT, alone, relay, tell, wake

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60.0


def elsewhere(act: Callable[[], None]) -> threading.Thread:
    """Runs on its own database connection."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_second_relay_passes_by_what_the_first_has_in_hand() -> None:
    messages = [tell(about) for about in "abc"]
    leased, go_on, taken = threading.Event(), threading.Event(), []

    def slow_relay() -> None:
        with transaction.atomic():
            taken.extend(relay(limit=2))
            leased.set()
            go_on.wait(PATIENCE)

    thread = elsewhere(slow_relay)
    assert leased.wait(PATIENCE)
    try:
        # Without SKIP LOCKED this would wait for the other transaction until its time-out.
        assert relay() == [messages[2].pk]
    finally:
        go_on.set()
        thread.join(PATIENCE)
    assert taken == [message.pk for message in messages[:2]]


def test_many_relays_send_each_message_once() -> None:
    messages = [tell(number) for number in range(40)]
    sent: list[int] = []

    def drain() -> None:
        while taken := relay(limit=3):
            sent.extend(taken)

    for thread in [elsewhere(drain) for _ in range(4)]:
        thread.join(PATIENCE)
    assert sorted(sent) == [message.pk for message in messages]


def test_publishing_wakes_a_relay_that_sleeps_on_commit() -> None:
    with asleep() as is_asleep:
        assert is_asleep
        woken = connection.connection.notifies(timeout=PATIENCE, stop_after=1)
        thread = elsewhere(lambda: tell("a"))
        assert [news.channel for news in woken] == ["outbox"]
        thread.join(PATIENCE)


def test_publishing_notifies_nobody_while_no_relay_sleeps() -> None:
    """A commit with a NOTIFY waits for all other such commits."""
    with asleep():
        pass
    tell("a")
    assert list(connection.connection.notifies(timeout=0)) == []


def test_no_relay_falls_asleep_while_somebody_is_about_to_publish() -> None:
    published, go_on = threading.Event(), threading.Event()

    def publish_slowly() -> None:
        with transaction.atomic():
            tell("a")
            published.set()
            go_on.wait(PATIENCE)

    thread = elsewhere(publish_slowly)
    assert published.wait(PATIENCE)
    with asleep() as is_asleep:
        assert not is_asleep
    go_on.set()
    thread.join(PATIENCE)
    with asleep() as is_asleep:
        assert is_asleep


def test_command_hands_the_task_of_each_topic_to_the_workers(monkeypatch) -> None:
    sent = []
    monkeypatch.setattr(relay_outbox, "_send", lambda *arguments: sent.append(arguments))
    message = tell("a")
    call_command("relay_outbox", "--once")
    assert [(to.task, copies) for to, copies in sent] == [("test.task", [(message.pk, 1)])]


def test_mails_gather_while_they_keep_coming_and_codes_do_not(monkeypatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(relay_outbox, "MAIL_SECONDS", 3600.0)
    monkeypatch.setattr(
        relay_outbox, "_send", lambda _to, copies: sent.extend(pk for pk, _number in copies)
    )
    command = relay_outbox.Command()
    first = tell("a")
    command._hand_out()
    mails = [tell(about) for about in "bcd"]
    code = tell("e", topic=URGENT)
    assert command._hand_out().is_gathering
    assert sent == [first.pk, code.pk]
    command._mails_from = 0.0
    assert not command._hand_out().is_gathering
    assert sent == [first.pk, code.pk, *(each.pk for each in mails)]


def test_relay_that_lets_mails_gather_does_not_fall_asleep(monkeypatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(relay_outbox, "MAIL_SECONDS", 3600.0)
    monkeypatch.setattr(relay_outbox, "_send", lambda *_arguments: None)
    monkeypatch.setattr(
        relay_outbox.Command, "_wait_for_news", lambda _self, seconds: waited.append(seconds)
    )
    command = relay_outbox.Command()
    tell("a")
    command._turn()
    command._turn()
    assert waited == [relay_outbox.DOZE_SECONDS] * 2


def test_command_outlives_a_broker_and_a_database_that_are_gone(monkeypatch) -> None:
    message, command, calls = tell("a"), relay_outbox.Command(), []

    def send(_receiver: object, copies: list[Copy]) -> None:
        calls.extend(pk for pk, _number in copies)
        wake(message)
        if len(calls) == 1:
            raise BrokerError
        if len(calls) == 2:
            connection.close()
            raise relay_outbox.DatabaseError
        OutboxMessage.objects.filter(pk=message.pk).delete()

    monkeypatch.setattr(relay_outbox, "_send", send)
    monkeypatch.setattr(relay_outbox, "POLL_SECONDS", 0.01)
    for _ in range(3):
        command._turn()
    assert calls == [message.pk] * 3


def test_workers_that_get_all_copies_of_a_message_at_once_handle_it_once() -> None:
    """A minute's copies pile up while no worker runs, and all workers come back together."""
    message, handled = tell("a"), []
    for _ in range(4):
        relay()
        wake(message)

    def handle() -> None:
        handled.append(message.pk)
        time.sleep(0.1)

    copies = [(message.pk, number) for number in (4, 4, 4, 3)]
    results = rush(lambda copy: receive([copy], handle=alone(handle)), copies)
    assert results == [None] * len(copies)
    assert handled == [message.pk]


def backend_that_waits_for_news(*, other_than: int = 0) -> int:
    """The server process of the relay's listening connection."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE locktype = 'advisory' AND classid = 1203 AND mode = 'ExclusiveLock'"
                " AND granted AND state = 'idle' AND datname = current_database() AND pid <> %s",
                [other_than],
            )
            if found := cursor.fetchone():
                return found[0]
        time.sleep(0.02)
    raise AssertionError("No relay is waiting.")


def test_relay_outlives_a_restart_of_the_database_while_it_waits_for_news(monkeypatch) -> None:
    sent: list[int] = []
    told, stop = threading.Event(), threading.Event()

    def send(_receiver: object, copies: list[Copy]) -> None:
        sent.extend(pk for pk, _number in copies)
        told.set()

    def run() -> None:
        command = relay_outbox.Command()
        while not stop.is_set():
            command._turn()

    monkeypatch.setattr(relay_outbox, "_send", send)
    monkeypatch.setattr(relay_outbox, "POLL_SECONDS", 0.5)
    thread = elsewhere(run)
    try:
        lost = backend_that_waits_for_news()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [lost])
        backend_that_waits_for_news(other_than=lost)
        message = tell("a")
        assert told.wait(PATIENCE)
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert sent == [message.pk]
