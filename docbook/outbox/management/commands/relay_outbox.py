"""`manage.py relay_outbox`: hands committed messages to the workers, for as long as it runs."""

import signal
import time
from typing import Any

import structlog
from celery import current_app
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import connection
from kombu.exceptions import OperationalError as BrokerError

from docbook.outbox import services, topics

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
DOZE_SECONDS = 0.1
# How many tasks may wait for the workers before the relay waits too. Otherwise, while no worker
# runs, each expired lease would add another copy of every message to the queue.
MOST_QUEUED = 1000


class Command(BaseCommand):
    help = "Hands outbox messages to the workers; wakes on NOTIFY and checks every 2 s."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Hand out what waits, then stop.")

    def handle(self, **options: Any) -> None:
        if options["once"]:
            self._drain()
            return
        self._running = True
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        while self._running:
            self._turn()

    def _stop(self, *_args: object) -> None:
        self._running = False

    def _turn(self) -> None:
        """One round. It waits for a lost database or broker; neither ends the relay."""
        try:
            if self._drain():
                self._sleep()
            else:
                self._wait_for_news(POLL_SECONDS)
        except BrokerError:
            log.warning("outbox_broker_unreachable")
            time.sleep(POLL_SECONDS)
        except DatabaseError:
            log.warning("outbox_database_unreachable")
            connection.close()
            time.sleep(POLL_SECONDS)

    def _drain(self) -> bool:
        """False if the workers do not keep up: there may be more messages.

        Codes go first. A full queue holds up no other queue.
        """
        keep_up = True
        while True:
            passed = 0
            for queue in topics.QUEUES:
                has_room = _has_room(queue)
                keep_up = keep_up and has_room
                if has_room:
                    passed += _pass_on_through(queue)
            if not passed:
                return keep_up

    def _sleep(self) -> None:
        """Wakes on the next message. While others are about to publish, it only dozes: they do not
        wake it, because a NOTIFY would make them wait for each other.
        """
        with services.asleep() as is_asleep:
            if not is_asleep:
                self._wait_for_news(DOZE_SECONDS)
            elif self._drain():  # committed between the last look and the lock
                self._wait_for_news(POLL_SECONDS)

    def _wait_for_news(self, seconds: float) -> None:
        connection.ensure_connection()
        # The driver's connection below Django's: only it can wait for notifications, and its errors
        # are the driver's own.
        with connection.wrap_database_errors:
            for _news in connection.connection.notifies(timeout=seconds, stop_after=1):
                break


def _pass_on_through(queue: str) -> int:
    urgent, upkeep = (topics.topics_through(each) for each in (topics.CODES, topics.UPKEEP))
    if queue == topics.CODES:
        return services.pass_on(send=_send, only=urgent)
    if queue == topics.UPKEEP:
        return services.pass_on(send=_send, only=[each for each in upkeep if each not in urgent])
    # Includes topics unknown to this release: a newer release has published them.
    return services.pass_on(send=_send, never=[*urgent, *upkeep])


def _has_room(name: str) -> bool:
    """Whether the workers keep up with this queue. Raises BrokerError if it cannot be asked."""
    queue: Any = current_app.amqp.queues[name]
    broker: Any  # its stubs describe another class
    with current_app.pool.acquire(block=True) as broker:
        try:
            return bool(queue(broker.default_channel).queue_declare().message_count < MOST_QUEUED)
        except broker.connection_errors as error:
            raise BrokerError from error


def _send(receiver: topics.Receiver, message_id: int, handed_out: int) -> None:
    current_app.send_task(receiver.task, args=[message_id, handed_out], queue=receiver.queue)
