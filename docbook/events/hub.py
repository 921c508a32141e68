"""Hands each change to the streams that wait for it. Lives on one event loop; needs no locks."""

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import uuid4

MOST_STREAMS = 1000
MOST_OF_A_PERSON = 10
# A client that has not taken this many changes is dropped. It comes back and looks at everything.
MOST_WAITING = 64
# A page that names no last event was drawn this many seconds ago at most.
JUST_NOW = 5.0


class TooManyStreams(Exception):
    """The process has enough of them, or the person."""


@dataclass(eq=False)
class Listener:
    """One stream, and the changes that it has not sent yet. The same change waits only once."""

    doctors: frozenset[int]
    person: int
    waiting: dict[str, None] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False

    def put(self, words: str) -> None:
        self.waiting[words] = None
        if len(self.waiting) > MOST_WAITING:
            self.end()
        self.news.set()

    def take(self) -> list[str]:
        found = list(self.waiting)
        self.waiting.clear()
        self.news.clear()
        return found

    def end(self) -> None:
        self.is_over = True
        self.news.set()


class Hub:
    """Open while changes reach it. Each opening has a new name: nobody knows what happened before.

    A place is the name and the number of the newest change. Clients give it back when they return.
    """

    def __init__(
        self, *, most: int = MOST_STREAMS, most_of_a_person: int = MOST_OF_A_PERSON
    ) -> None:
        self.is_open = False
        self._most, self._most_of_a_person = most, most_of_a_person
        self._listeners: set[Listener] = set()
        self._by_doctor: dict[int, set[Listener]] = {}
        self._name, self._number = "", 0
        self._changed: dict[int, tuple[int, float]] = {}  # the number and when, by doctor

    @property
    def place(self) -> str:
        return f"{self._name}-{self._number}"

    def __len__(self) -> int:
        return len(self._listeners)

    def open(self) -> None:
        self.is_open = True
        self._name, self._number = uuid4().hex[:12], 0
        self._changed.clear()

    def close(self) -> None:
        """Ends all streams."""
        self.is_open = False
        for each in list(self._listeners):
            each.end()

    def join(self, *, doctors: Iterable[int], person: int) -> Listener:
        """Raises TooManyStreams."""
        mine = sum(each.person == person for each in self._listeners)
        if len(self._listeners) >= self._most or mine >= self._most_of_a_person:
            raise TooManyStreams
        listener = Listener(frozenset(doctors), person)
        self._listeners.add(listener)
        for doctor_id in listener.doctors:
            self._by_doctor.setdefault(doctor_id, set()).add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        for doctor_id in listener.doctors:
            others = self._by_doctor.get(doctor_id, set())
            others.discard(listener)
            if not others:
                self._by_doctor.pop(doctor_id, None)

    def tell(self, doctor_id: int, words: str) -> None:
        self._number += 1
        self._changed[doctor_id] = (self._number, time.monotonic())
        for each in self._by_doctor.get(doctor_id, ()):
            each.put(words)

    def doubt(self) -> None:
        """Something may have been missed. All streams begin anew, and their pages look again."""
        if self._listeners or self._changed:
            self.close()
            self.open()

    def has_changed(self, doctors: Collection[int], *, since: str) -> bool:
        """Whether something has changed for these doctors since that place, as far as we know."""
        name, _, number = since.partition("-")
        changes = [self._changed[each] for each in doctors if each in self._changed]
        if not since:
            return any(time.monotonic() - at < JUST_NOW for _number, at in changes)
        if name != self._name or not number.isdecimal():
            return True
        return any(each > int(number) for each, _at in changes)
