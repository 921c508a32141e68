"""Calls that wait at one moment go to the database together: one round trip and one commit.

A thread of each process, with a connection of its own, makes one kind of call. While the database
works on some calls, the next ones gather; no call waits for others to come. Among many calls
nobody waits for a lock: a call that would have to, and every call of a batch that has failed, is
made alone by its caller. Nothing was written for it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from django.db import DatabaseError, connection

log = structlog.get_logger(__name__)

MOST = 32
Decide = Callable[[Sequence[Any]], list[Any]]

_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Decide, "SharedCalls"]]
_by_loop = WeakKeyDictionary()


def shared(decide: Decide) -> "SharedCalls":
    """Those of the running event loop. `decide` answers calls in their order, with None for each
    that has to be made alone.
    """
    of_this_loop = _by_loop.setdefault(asyncio.get_running_loop(), {})
    if decide not in of_this_loop:
        of_this_loop[decide] = SharedCalls(decide)
    return of_this_loop[decide]


def end(loop: asyncio.AbstractEventLoop) -> None:
    """Makes the calls that wait, then ends the threads of this loop."""
    for each in _by_loop.pop(loop, {}).values():
        each.end()


class SharedCalls:
    def __init__(self, decide: Decide) -> None:
        self._decide = decide
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Any, asyncio.Future[Any]]] = deque()
        self._has_work = threading.Semaphore(0)
        self._has_ended = False
        self._thread = threading.Thread(target=self._work, name="shared-calls", daemon=True)
        self._thread.start()

    def ask(self, call: Any) -> asyncio.Future[Any]:
        """The answer; None if the call has to be made alone."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((call, answer))
        self._has_work.release()
        return answer

    def end(self) -> None:
        self._has_ended = True
        self._has_work.release()
        self._thread.join()

    def _work(self) -> None:
        try:
            while batch := self._next_batch():
                answers = self._answers([call for call, _answer in batch])
                self._loop.call_soon_threadsafe(_tell, [each for _call, each in batch], answers)
        finally:
            connection.close()

    def _next_batch(self) -> list[tuple[Any, asyncio.Future[Any]]]:
        """Waits for a call, and takes all that are there. Empty at the end."""
        self._has_work.acquire()
        if self._has_ended and not self._waiting:
            return []
        batch = [self._waiting.popleft()]
        while len(batch) < MOST and self._waiting and self._has_work.acquire(blocking=False):
            batch.append(self._waiting.popleft())
        return batch

    def _answers(self, calls: Sequence[Any]) -> list[Any]:
        """The error of one is no answer to the others, so each call is then made alone. A thread
        that ended with an error would leave everybody waiting.
        """
        try:
            return self._decide(calls)
        except Exception as error:  # noqa: BLE001 - alone, each call meets its own error
            log.info("calls_made_alone", calls=len(calls), error=type(error).__name__)
            if not isinstance(error, DatabaseError) or not connection.is_usable():
                connection.close()
            return [None] * len(calls)


def _tell(waiting: Sequence[asyncio.Future[Any]], answers: Sequence[Any]) -> None:
    for future, answer in zip(waiting, answers, strict=True):
        if not future.done():
            future.set_result(answer)
