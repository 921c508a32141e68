"""Ctrl-C and SIGTERM are recorded instead of raised, so they never cut a clean-up short."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from devstack.refusals import Interrupted

POLL = 0.1


class Interrupts:
    """Counts the requests to stop. The second one asks for haste."""

    def __init__(self) -> None:
        self.count = 0
        self.by_keyboard = False

    def note(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.by_keyboard = number == signal.SIGINT

    def check(self) -> None:
        if self.count:
            raise Interrupted

    @property
    def in_a_hurry(self) -> bool:
        return self.count > 1

    def wait_until(self, condition: Callable[[], bool], *, timeout: float) -> bool:
        """Waits for the condition. False after the timeout; raises Interrupted on a request
        to stop.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL)
        return True


@contextmanager
def interrupts_noted() -> Iterator[Interrupts]:
    interrupts = Interrupts()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup make run` stays up
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, interrupts.note) for number in numbers}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
