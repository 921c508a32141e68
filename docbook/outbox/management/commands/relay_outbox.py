"""`manage.py relay_outbox`: hands committed messages to the workers, for as long as it runs."""

import signal
import time
from dataclasses import dataclass
from typing import Any

import structlog
from celery import current_app
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import connection
from kombu.exceptions import OperationalError as BrokerError

from docbook.outbox import services, topics
from docbook.outbox.receiving import Copy

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
# While messages keep coming, the relay hands them out ten times a second: together they cost less.
DOZE_SECONDS = 0.1
# Nobody waits at the screen for a mail. While mails keep coming, the relay hands them out twice a
# second.
MAIL_SECONDS = 0.5
# While a queue is full, codes still come.
FULL_SECONDS = 0.5
# How many tasks may wait for the workers before the relay waits too. Otherwise, while no worker
# runs, each expired lease would add another copy of every message to the queue.
MOST_QUEUED = 200
# How many messages of one queue are handed out before the next queue has its turn.
BATCH = 200


@dataclass(frozen=True)
class Round:
    """How many messages were handed out; whether a queue was full, whether more may wait, and
    whether mails were left to gather.
    """

    taken: int
    is_full: bool
    is_more: bool
    is_gathering: bool


class Command(BaseCommand):
    help = "Hands outbox messages to the workers; wakes on NOTIFY and checks every 2 s."

    _mails_from = 0.0

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Hand out what waits, then stop.")

    def handle(self, **options: Any) -> None:
        if options["once"]:
            while self._hand_out(gathers=False).taken:
                pass
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
            self._rest(after=self._hand_out())
        except BrokerError:
            log.warning("outbox_broker_unreachable")
            time.sleep(POLL_SECONDS)
        except DatabaseError:
            log.warning("outbox_database_unreachable")
            connection.close()
            time.sleep(POLL_SECONDS)

    def _rest(self, *, after: "Round") -> None:
        """Wakes on the next message. While others are about to publish, it only dozes: they do not
        wake it, because a NOTIFY would make them wait for each other.
        """
        if after.is_more:
            return
        if after.is_full:
            self._wait_for_news(FULL_SECONDS)
        elif after.taken or after.is_gathering:
            self._wait_for_news(DOZE_SECONDS)
        else:
            self._sleep()

    def _sleep(self) -> None:
        with services.asleep() as is_asleep:
            if not is_asleep:
                self._wait_for_news(DOZE_SECONDS)
            elif not self._hand_out().taken:  # committed between the last look and the lock
                self._wait_for_news(POLL_SECONDS)

    def _hand_out(self, *, gathers: bool = True) -> Round:
        """One batch of each queue, codes first. A full queue holds up no other queue."""
        is_gathering = gathers and time.monotonic() < self._mails_from
        queues = [each for each in topics.QUEUES if each != topics.MAIL or not is_gathering]
        taken = {each: _pass_on_through(each) for each in queues if _has_room(each)}
        is_more = BATCH in taken.values()
        if taken.get(topics.MAIL) and not is_more:
            self._mails_from = time.monotonic() + MAIL_SECONDS
        return Round(
            taken=sum(taken.values()),
            is_full=len(taken) < len(queues),
            is_more=is_more,
            is_gathering=is_gathering,
        )

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
        return services.pass_on(send=_send, limit=BATCH, only=urgent)
    if queue == topics.UPKEEP:
        rest = [each for each in upkeep if each not in urgent]
        return services.pass_on(send=_send, limit=BATCH, only=rest)
    # Includes topics unknown to this release: a newer release has published them.
    return services.pass_on(send=_send, limit=BATCH, never=[*urgent, *upkeep])


def _has_room(name: str) -> bool:
    """Whether the workers keep up with this queue. Raises BrokerError if it cannot be asked."""
    queue: Any = current_app.amqp.queues[name]
    broker: Any  # its stubs describe another class
    with current_app.pool.acquire(block=True) as broker:
        try:
            return bool(queue(broker.default_channel).queue_declare().message_count < MOST_QUEUED)
        except broker.connection_errors as error:
            raise BrokerError from error


def _send(receiver: topics.Receiver, copies: list[Copy]) -> None:
    current_app.send_task(receiver.task, args=copies, queue=receiver.queue)
