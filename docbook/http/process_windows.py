"""Counts of one process, used while Redis does not answer."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock

MOST_KEYS = 10_000


@dataclass
class _Window:
    ends_at: float
    count: int = 0


class ProcessWindows:
    """Fixed windows, each beginning with its first request. Threads share them.

    Memory is bounded: if there are too many keys, the one used longest ago is forgotten.
    """

    def __init__(
        self, *, most_keys: int = MOST_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._lock = Lock()
        self._most_keys = most_keys
        self._clock = clock

    def count(self, key: str, *, most: int, milliseconds: int) -> int:
        """Counts once; returns how long to wait in milliseconds, or 0."""
        now = self._clock()
        with self._lock:
            window = self._windows.get(key)
            if window is None or window.ends_at <= now:
                window = self._windows[key] = _Window(ends_at=now + milliseconds / 1000)
            window.count += 1
            self._windows.move_to_end(key)
            if len(self._windows) > self._most_keys:
                self._windows.popitem(last=False)
            return max(1, int((window.ends_at - now) * 1000)) if window.count > most else 0

    def give_back(self, keys: Iterable[str]) -> None:
        with self._lock:
            for key in keys:
                if (window := self._windows.get(key)) and window.count > 0:
                    window.count -= 1

    def forget(self) -> None:
        with self._lock:
            self._windows.clear()
