"""Clients that follow a conversation: what is asked next depends on the last answer.

One process has many conversations under way, so it costs little of the machine.
"""

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector

from devstack.refusals import Refusal
from proof.booker import WrongAnswer
from proof.client import Answer, Client, NoAnswer

PATIENCE = 60.0


@dataclass(frozen=True)
class Ask:
    method: str
    path: str
    body: object = None
    headers: str = ""


# Raises WrongAnswer to give up.
Flow = Generator[Ask, Answer, None]


@dataclass
class Done:
    """Milliseconds of each flow that came to its end, and why the others did not."""

    times: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def a_second(self) -> float:
        return len(self.times) / self.seconds


class Desk:
    """One connection and its current flow."""

    def __init__(self, url: str, done: Done) -> None:
        self.client, self.done = Client(url, timeout=PATIENCE), done
        self.client.connect()

    def begin(self, flow: Flow) -> None:
        self.flow, self.begun = flow, time.perf_counter()
        self.ask: Ask | None = next(flow)

    def send(self) -> None:
        if self.ask is not None:
            ask = self.ask
            self.client.send(ask.method, ask.path, ask.body, headers=ask.headers)

    def take(self, answer: Answer) -> None:
        """Lets the flow say what it asks next: nothing, if this was its end."""
        try:
            self.ask = self.flow.send(answer)
        except StopIteration:
            self.done.times.append(1000 * (time.perf_counter() - self.begun))
            self.ask = None
        except WrongAnswer as wrong:
            self.done.wrong.append(str(wrong))
            self.ask = None


def in_turn(url: str, flows: Iterator[Flow], *, connections: int, seconds: float) -> Done:
    """For so many seconds, each connection begins the next flow as soon as its last one has ended.
    Raises Refusal if there are too few flows, or if the server does not answer.
    """
    done = Done()
    desks = [Desk(url, done) for _ in range(connections)]
    begun = time.perf_counter()
    with _no_answer_refused(url), DefaultSelector() as selector:
        for desk in desks:
            _begin_next(desk, flows, selector)
        while selector.get_map():
            is_over = time.perf_counter() > begun + seconds
            for desk in _answered(selector):
                if desk.ask is not None:
                    _send(desk, selector)
                elif not is_over:
                    _begin_next(desk, flows, selector)
    done.seconds = time.perf_counter() - begun
    for desk in desks:
        desk.client.close()
    return done


def _begin_next(desk: Desk, flows: Iterator[Flow], selector: DefaultSelector) -> None:
    flow = next(flows, None)
    if flow is None:
        raise Refusal("Every time is booked: ask for fewer rounds or seconds, or more doctors.")
    desk.begin(flow)
    _send(desk, selector)


def _send(desk: Desk, selector: DefaultSelector) -> None:
    desk.send()
    selector.register(desk.client.connect(), EVENT_READ, desk)


def _answered(selector: DefaultSelector) -> Iterator[Desk]:
    """The desks whose whole answer has arrived; they are no longer listened to."""
    ready = selector.select(PATIENCE)
    if not ready:
        raise Refusal(f"{len(selector.get_map())} requests were not answered.")
    for key, _events in ready:
        desk: Desk = key.data
        answer = desk.client.read()
        if answer is not None:
            selector.unregister(key.fileobj)
            desk.take(answer)
            yield desk


def at_once(url: str, flows: Iterable[Flow]) -> Done:
    """All take each step together: nobody reads an answer before everybody has asked."""
    done = Done()
    desks = []
    for flow in flows:
        desks.append(Desk(url, done))
        desks[-1].begin(flow)
    clients = [desk.client for desk in desks]
    with _no_answer_refused(url):
        while desks:
            for desk in desks:
                desk.send()
            for desk in desks:
                desk.take(desk.client.receive())
            desks = [desk for desk in desks if desk.ask is not None]
    for client in clients:
        client.close()
    return done


@contextmanager
def _no_answer_refused(url: str) -> Iterator[None]:
    try:
        yield
    except NoAnswer:
        raise Refusal(f"{url} closed a connection, or took too long to answer.") from None
