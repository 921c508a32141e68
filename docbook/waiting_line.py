"""How many requests a process works on at once, who waits, and who is told to come back.

Under more load than it can bear, a server that takes everything answers everybody too late, and
the work was in vain: clients have asked again or left. So a few are inside, just enough to keep
processor and database busy. The others wait in front. A request that would wait for too long is
refused at once, which costs next to nothing.

Those who finish something go before those who begin. A hold whose confirmation is refused was work
for nothing.
"""

import asyncio
from collections import deque
from time import monotonic

INSIDE = 32
# A line that stays must be short.
SECONDS_OF_A_LINE = 0.15
# A crowd that comes to an empty line, as when times are opened, is given longer: it is served once,
# and then the line is empty again. That ends when others keep coming, and have to be refused. From
# then on, those who have waited for too long are refused too.
SECONDS_OF_A_CROWD = 3.0
A_CROWD_COMES_WITHIN = 0.5
TOO_LONG = 0.4
# Since the last refusal; then the rush is over.
RUSH = 1.0
# How far the newest turn counts in the mean. Turns come in groups, as answers of the database do.
NEWEST = 1 / 32
FIRST_GUESS = 0.004


class WaitingLine:
    """In front of one process, for its event loop only."""

    def __init__(self) -> None:
        self._free = INSIDE
        self._finishing, self._beginning = _Queue(), _Queue()
        self._was_empty_at = 0.0
        self._refused_at = 0.0

    def refuses(self, *, finishes: bool) -> bool:
        """Whether somebody who comes now would wait for too long."""
        now = monotonic()
        if not self._finishing and not self._beginning:
            self._was_empty_at = now
            return False
        queue = self._finishing if finishes else self._beginning
        is_crowd = not self._is_rush(now) and now < self._was_empty_at + A_CROWD_COMES_WITHIN
        most = SECONDS_OF_A_CROWD if finishes or is_crowd else SECONDS_OF_A_LINE
        if queue.seconds <= most:
            return False
        self._refused_at = now
        return True

    async def enter(self, *, finishes: bool) -> bool:
        """Returns when it is their turn; False if they waited for too long. Each one who has
        entered must leave.
        """
        if self._free:
            self._free -= 1
            return True
        queue = self._finishing if finishes else self._beginning
        turn = asyncio.get_running_loop().create_future()
        queue.append((monotonic(), turn))
        try:
            return bool(await turn)
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.result():
                self.leave()
            raise

    def leave(self) -> None:
        now = monotonic()
        if self._is_rush(now):
            self._beginning.send_away(came_before=now - TOO_LONG)
        if not (self._finishing.call_the_next(now) or self._beginning.call_the_next(now)):
            self._free += 1

    def _is_rush(self, now: float) -> bool:
        return now < self._refused_at + RUSH


class _Queue(deque[tuple[float, asyncio.Future[bool]]]):
    """In order of arrival. It knows how long its turns take, with all that goes before them."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds_of_a_turn = FIRST_GUESS
        self._last_turn: float | None = None  # none since it was empty

    @property
    def seconds(self) -> float:
        """How long the next one who comes will wait."""
        return len(self) * self._seconds_of_a_turn

    def call_the_next(self, now: float) -> bool:
        """False if nobody waits."""
        while self:
            _came, turn = self.popleft()
            if not turn.done():
                self._note_turn(now)
                turn.set_result(True)
                return True
        self._last_turn = None
        return False

    def send_away(self, *, came_before: float) -> None:
        while self and self[0][0] < came_before:
            _came, turn = self.popleft()
            if not turn.done():
                turn.set_result(False)

    def _note_turn(self, now: float) -> None:
        if self._last_turn is not None:
            took = now - self._last_turn
            self._seconds_of_a_turn += NEWEST * (took - self._seconds_of_a_turn)
        self._last_turn = now
