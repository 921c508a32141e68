"""Progress of a long command: a bar on a terminal, elsewhere a line for each tenth."""

import time

from django.core.management.base import OutputWrapper

_WIDTH = 28
_SECONDS_BETWEEN_FRAMES = 0.1


class Progress:
    """Call it with the number of things done. The stream is the command's `self.stdout`."""

    def __init__(self, stream: OutputWrapper, *, label: str, total: int) -> None:
        self._stream, self._label, self._total = stream, label, max(total, 1)
        self._is_terminal = stream.isatty()
        self._started = time.monotonic()
        self._drawn_at = 0.0
        self._tenths = 0

    def __call__(self, done: int) -> None:
        if self._is_terminal:
            self._draw(done)
        elif done * 10 // self._total > self._tenths:
            self._tenths = done * 10 // self._total
            self._stream.write(self._sentence(done))

    def _draw(self, done: int) -> None:
        finished = done >= self._total
        if not finished and time.monotonic() - self._drawn_at < _SECONDS_BETWEEN_FRAMES:
            return
        self._drawn_at = time.monotonic()
        filled = _WIDTH * min(done, self._total) // self._total
        bar = "█" * filled + "░" * (_WIDTH - filled)
        # Carriage return and "erase to the end of the line" keep the bar in place.
        ending = "\n" if finished else ""
        self._stream.write(f"\r{bar} {self._sentence(done)}\x1b[K", ending=ending)
        self._stream.flush()

    def _sentence(self, done: int) -> str:
        seconds = time.monotonic() - self._started
        return f"{self._label}: {done:,} of {self._total:,} ({seconds:.0f} s)"
