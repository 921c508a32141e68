"""A client process that asks for more than can be done, cheaply, and takes a refusal for an answer.

Started as `python -m proof.rush PLAN`; prints as JSON what it heard, and in which stage.

In a stage with a share of capacity, bookings are due at fixed times, however slow the answers are.
Without one, each connection begins the next booking as soon as the last has ended; the first such
stage measures the capacity. A booking that is refused has ended, and its time is asked for again
when all others have been. A booking that finds every connection busy is missed.
"""

import json
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self
from uuid import UUID

from bookings.holding.codes import derive
from proof.booker import BookingPlan, Task
from proof.client import TIMEOUT, Answer, Client, NoAnswer, headers_of
from proof.history import clock
from proof.plan import API

SECOND = 10**9
HELD, BOOKED = 201, 200
REFUSED = (503, 429)
NO_ANSWER = 0


@dataclass(frozen=True)
class Stage:
    """`share` of capacity is how many bookings begin in a second; 0 is as many as the connections
    can do.
    """

    name: str
    seconds: float
    connections: int
    share: float = 0.0


@dataclass(frozen=True)
class RushPlan(BookingPlan):
    stages: Sequence[Stage] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        plan = super().read(path)
        stages: Any = plan.stages
        return replace(plan, stages=[Stage(**each) for each in stages])


class Heard(NamedTuple):
    """One request: when it was due, sent and answered, in nanoseconds of the monotonic clock."""

    stage: int
    act: str
    due: int
    sent: int
    at: int
    status: int


class Line:
    """One connection, and the request that is under way on it."""

    def __init__(self, url: str) -> None:
        self.client = Client(url, timeout=TIMEOUT)
        self.socket: socket.socket | None = None  # the one that the selector knows
        self.stage = self.due = self.sent = 0
        self.task: Task
        self.attempt = ""

    @property
    def act(self) -> str:
        return "confirm" if self.attempt else "hold"


class Rush:
    """All connections of the process. `listening` has them by file number; one that has ended is
    overwritten when its number is used again.
    """

    def __init__(self, plan: RushPlan) -> None:
        self.plan = plan
        self.tasks = self._all_tasks(plan.tasks(0))
        self.again: deque[Task] = deque()
        most = max(stage.connections for stage in plan.stages)
        self.lines = [Line(plan.url) for _ in range(most)]
        self.free = deque(self.lines)
        self.epoll = select.epoll()
        self.listening: dict[int, Line] = {}
        self.taken = self.missed = 0
        self.capacity = 0.0
        self.heard: list[Heard] = []
        self.booked: list[str] = []

    def run(self) -> dict[str, object]:
        """What was heard, the ids of the visits, and a row for each stage."""
        for line in self.lines:
            self._open(line)
        stages = [self._work_on(number, each) for number, each in enumerate(self.plan.stages)]
        self._hear_the_last()
        return {
            "taken": self.taken,
            "stages": stages,
            "heard": self.heard,
            "booked": self.booked,
        }

    def _all_tasks(self, tasks: Iterator[Task]) -> Iterator[Task]:
        for task in tasks:
            self.taken += 1
            yield task
        while self.again:
            yield self.again.popleft()

    def _work_on(self, number: int, stage: Stage) -> dict[str, object]:
        begun, used, booked = clock(), time.process_time(), len(self.booked)
        until, due, missed = begun + round(stage.seconds * SECOND), begun, self.missed
        step = round(SECOND / (stage.share * self.capacity)) if stage.share else 0
        while (now := clock()) < until:
            if step:
                due = self._begin_what_is_due(number, stage, due=due, step=step)
            else:
                while self._busy() < stage.connections:
                    self._begin(number, due=now)
            self._hear(until=min(due, until) if step else until)
        ended = clock()
        self.capacity = self.capacity or (len(self.booked) - booked) * SECOND / (ended - begun)
        return {
            "name": stage.name,
            "begun": begun,
            "ended": ended,
            "asked": SECOND / step if step else 0.0,
            "missed": self.missed - missed,
            "booked": len(self.booked) - booked,
            "cpu_seconds": time.process_time() - used,
        }

    def _begin_what_is_due(self, number: int, stage: Stage, *, due: int, step: int) -> int:
        """Returns when the next booking is due."""
        while due <= clock():
            if self._busy() < stage.connections:
                self._begin(number, due=due)
            else:
                self.missed += 1
            due += step
        return due

    def _busy(self) -> int:
        return len(self.lines) - len(self.free)

    def _begin(self, number: int, *, due: int) -> None:
        task = next(self.tasks, None)
        if task is None:
            raise SystemExit("Every time is booked: ask for fewer seconds.")
        line = self.free.popleft()
        line.stage, line.task, line.attempt = number, task, ""
        body = {"slotId": task.slot, "visitTypeId": task.visit_type}
        self._send(line, f"{API}/bookings", body, due=due, key=task.key)

    def _send(self, line: Line, path: str, body: object, *, due: int, key: str = "") -> None:
        patient = line.task.patient
        headers = headers_of(token=patient.token, address=patient.address, key=key)
        line.due, line.sent = due, clock()
        try:
            self._open(line)
            line.client.send("POST", path, body, headers=headers)
        except (NoAnswer, OSError):
            self._lose(line)

    def _open(self, line: Line) -> None:
        connection = line.client.connect()
        if connection is not line.socket:
            line.socket = connection
            self.listening[connection.fileno()] = line
            self.epoll.register(connection, select.EPOLLIN)

    def _hear(self, *, until: int) -> bool:
        """Waits until then for answers, and reads those that are there; whether there were any."""
        ready = self.epoll.poll(max(0.0, (until - clock()) / SECOND))
        for file, _event in ready:
            line = self.listening[file]
            try:
                answer = line.client.read()
            except NoAnswer:
                self._lose(line)
            else:
                if answer is not None:
                    self._take(line, answer)
        return bool(ready)

    def _take(self, line: Line, answer: Answer) -> None:
        now, act = clock(), line.act
        self._note(line, at=now, status=answer.status)
        if act == "hold" and answer.status == HELD:
            line.attempt = answer.data["attemptId"]
            code = derive(key=self.plan.otp_key, hold_id=UUID(line.attempt), resend=0)
            path = f"{API}/bookings/{line.attempt}/verify-otp"
            self._send(line, path, {"code": code}, due=now)
            return
        if act == "hold" and answer.status in REFUSED:
            self.again.append(line.task)
        if act == "confirm" and answer.status == BOOKED:
            self.booked.append(line.attempt)
        self.free.append(line)

    def _lose(self, line: Line) -> None:
        """The connection has ended, maybe while nothing was under way."""
        line.client.close()
        if line.sent:
            self._note(line, at=clock(), status=NO_ANSWER)
            self.free.append(line)

    def _note(self, line: Line, *, at: int, status: int) -> None:
        self.heard.append(Heard(line.stage, line.act, line.due, line.sent, at, status))
        line.sent = 0

    def _hear_the_last(self) -> None:
        until = clock() + round(TIMEOUT * SECOND)
        while self._busy() and clock() < until:
            self._hear(until=until)
        for line in [each for each in self.lines if each.sent]:
            self._lose(line)


if __name__ == "__main__":
    print(json.dumps(Rush(RushPlan.read(Path(sys.argv[1]))).run()))
