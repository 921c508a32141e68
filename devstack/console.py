"""Output for the person at the terminal. Plain ASCII, so no locale can break it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LABEL_WIDTH = 22


def say(text: str = "") -> None:
    """Prints one line. A closed terminal must not prevent a clean stop."""
    with suppress(OSError, ValueError):
        print(text, flush=True)


def report(label: str, text: str) -> None:
    say(f"  {label:<{LABEL_WIDTH}}{text}")


@contextmanager
def timed_step(label: str, done: str = "done") -> Iterator[None]:
    """Announces a step that takes a while, then says how long it took."""
    started = time.monotonic()
    yield
    report(label, f"{done} ({time.monotonic() - started:.1f} s)")


class ProgressLine:
    """A count that grows in place on a terminal, and in quarters if lines cannot be redrawn."""

    def __init__(self, *, label: str, total: int) -> None:
        self.label = label
        self.total = max(total, 1)
        self.quarter = 0
        self.in_place = sys.stdout.isatty()

    def show(self, count: int) -> None:
        if self.in_place:
            self._redraw(f"{min(count, self.total)} of {self.total}")
        elif count * 4 // self.total > self.quarter:
            self.quarter = count * 4 // self.total
            report(self.label, f"{min(count, self.total)} of {self.total}")

    def note(self, text: str) -> None:
        if self.in_place:
            self._redraw(text)
        else:
            report(self.label, text)

    def clear(self) -> None:
        if self.in_place:
            self._write("\r\033[K")

    def _redraw(self, text: str) -> None:
        self._write(f"\r\033[K  {self.label:<{LABEL_WIDTH}}{text}")

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.write(text)
            sys.stdout.flush()
