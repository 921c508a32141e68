"""A client process of the benchmark: holds and confirms, on several connections at once.

Started as `python -m proof.booker PLAN NUMBER`; prints the milliseconds of each request as JSON.
Each booking uses its own slot and patient, from a list that no other client has.

Without a rate, each connection begins the next booking as soon as the last one is answered. With a
rate, bookings are due at fixed times, however slow the answers are. A booking that finds every
connection busy waits for one, and its time counts from the moment when it was due.
"""

import json
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Self
from uuid import UUID

from bookings.holding.codes import derive
from proof.client import TIMEOUT, Answer, Client, NoAnswer, headers_of
from proof.fixtures import Fixture
from proof.plan import API, Calendar, Patient


@dataclass(frozen=True)
class Task:
    """One booking."""

    slot: int
    visit_type: int
    patient: Patient
    key: str


@dataclass(frozen=True)
class BookingPlan:
    """For all clients, which take the tasks in turn. `skip` tasks were used before. `rate` is how
    many bookings all clients begin in a second; 0 is as many as they can.
    """

    url: str
    otp_key: str
    seconds: float
    processes: int
    connections: int
    skip: int
    begin_at: float
    calendars: Sequence[Calendar]
    patients: Sequence[Patient]
    rate: float = 0.0

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Self:
        data = json.loads(path.read_text())
        data["calendars"] = [Calendar(**each) for each in data["calendars"]]
        data["patients"] = [Patient(**each) for each in data["patients"]]
        return cls(**data)

    def tasks(self, number: int) -> Iterator[Task]:
        """A patient's visits never overlap: between two of them there is one time of every
        doctor.
        """
        return islice(self._all_tasks(), self.skip + number, None, self.processes)

    def _all_tasks(self) -> Iterator[Task]:
        index = 0
        for position in range(len(self.calendars[0].slots)):
            for calendar in self.calendars:
                patient = self.patients[index % len(self.patients)]
                slot = calendar.slots[position]
                yield Task(slot, calendar.single, patient, f"bench-{slot}")
                index += 1

    def due(self, number: int) -> Iterator[float]:
        """When this client's bookings are due, in seconds after the begin."""
        index = number
        while self.rate and index / self.rate < self.seconds:
            yield index / self.rate
            index += self.processes


class WrongAnswer(Exception):
    """Not the answer to this request. The text says what came instead."""


class Desk:
    """One connection and its current booking. `attempt` is empty until it is to be confirmed;
    `due` is when the last request should have been sent.
    """

    def __init__(self, plan: BookingPlan) -> None:
        self.client = Client(plan.url)
        self.otp_key = plan.otp_key
        self.due = 0.0
        self.attempt = ""

    @property
    def act(self) -> str:
        return "confirm" if self.attempt else "hold"

    def hold(self, task: Task) -> None:
        self.task, self.attempt = task, ""
        body = {"slotId": task.slot, "visitTypeId": task.visit_type}
        self._send(f"{API}/bookings", body, key=task.key)

    def confirm(self, attempt: str) -> None:
        self.attempt = attempt
        code = derive(key=self.otp_key, hold_id=UUID(self.attempt), resend=0)
        self._send(f"{API}/bookings/{self.attempt}/verify-otp", {"code": code})

    def check(self, answer: Answer) -> None:
        """Raises WrongAnswer if the answer does not say that this time is held or booked."""
        try:
            data = answer.data
        except ValueError:
            raise WrongAnswer(f"{answer.status} without JSON") from None
        if self.attempt:
            told = (answer.status, data.get("id"), data.get("status"))
            right: tuple[object, ...] = (200, self.attempt, "confirmed")
        else:
            told = (answer.status, data.get("slot", {}).get("slotId"), data.get("status"))
            right = (201, self.task.slot, "held")
        if told != right:
            what = data.get("code") or f"{told[1:]} instead of {right[1:]}"
            raise WrongAnswer(f"{answer.status} {what}")

    def _send(self, path: str, body: object, *, key: str = "") -> None:
        patient = self.task.patient
        lines = headers_of(token=patient.token, address=patient.address, key=key)
        self.client.send("POST", path, body, headers=lines)


class Booker:
    """All desks of one process. Times are seconds of the performance counter."""

    def __init__(self, plan: BookingPlan, number: int) -> None:
        self.plan = plan
        self.tasks = plan.tasks(number)
        self.timetable = plan.due(number)
        self.next_due = next(self.timetable, None)
        self.free = deque(Desk(plan) for _ in range(plan.connections))
        self.selector = DefaultSelector()
        self.taken = 0
        self.times: dict[str, list[float]] = {"hold": [], "confirm": []}
        self.wrong: list[str] = []

    def run(self) -> dict[str, object]:
        """Times by act in milliseconds, wrong answers, and what the work took in CPU seconds."""
        for desk in self.free:
            desk.client.connect()
        time.sleep(max(0.0, self.plan.begin_at - time.time()))  # all processes at once
        self.begin = time.perf_counter()
        used = time.process_time()
        while self._has_work():
            self._begin_what_is_due()
            self._hear_answers()
        return {
            "taken": self.taken,
            "times": self.times,
            "wrong": self.wrong,
            "seconds": time.perf_counter() - self.begin,
            "cpu_seconds": time.process_time() - used,
        }

    def _has_work(self) -> bool:
        return bool(self.selector.get_map()) or self._due() is not None

    def _due(self) -> float | None:
        """When the next booking is due; None if there is none."""
        if self.plan.rate:
            return None if self.next_due is None else self.begin + self.next_due
        now = time.perf_counter()
        return now if now < self.begin + self.plan.seconds else None

    def _begin_what_is_due(self) -> None:
        while self.free and (due := self._due()) is not None and due <= time.perf_counter():
            task = next(self.tasks, None)
            if task is None:
                raise SystemExit("Every time is booked: ask for fewer rounds or seconds.")
            self.taken += 1
            self.next_due = next(self.timetable, None)
            desk = self.free.popleft()
            desk.due = due
            try:
                desk.hold(task)
            except NoAnswer:
                self._end(desk, wrong="no answer")
            else:
                self._listen_to(desk)

    def _hear_answers(self) -> None:
        """Waits until there are some, or until the next booking is due."""
        due = self._due() if self.free else None
        ready = self.selector.select(
            TIMEOUT if due is None else max(0.0, due - time.perf_counter())
        )
        for key, _events in ready:
            self._hear(key.data)
        if not ready and due is None:
            for key in list(self.selector.get_map().values()):
                self.selector.unregister(key.fileobj)
                key.data.client.close()
                self._end(key.data, wrong="no answer")

    def _hear(self, desk: Desk) -> None:
        self.selector.unregister(desk.client.connect())
        try:
            answer = desk.client.read()
            if answer is not None:
                now = time.perf_counter()
                desk.check(answer)
                self.times[desk.act].append(1000 * (now - desk.due))
                if desk.act == "confirm":
                    self._end(desk)
                    return
                desk.due = now
                desk.confirm(answer.data["attemptId"])
            self._listen_to(desk)
        except NoAnswer:
            self._end(desk, wrong="no answer")
        except WrongAnswer as wrong:
            self._end(desk, wrong=str(wrong))

    def _listen_to(self, desk: Desk) -> None:
        self.selector.register(desk.client.connect(), EVENT_READ, desk)

    def _end(self, desk: Desk, *, wrong: str = "") -> None:
        if wrong:
            self.wrong.append(wrong)
        self.free.append(desk)


def plan_of(fixture: Fixture, **more: object) -> BookingPlan:
    return BookingPlan(calendars=fixture.calendars, patients=fixture.patients, **more)  # type: ignore[arg-type]


if __name__ == "__main__":
    print(json.dumps(Booker(BookingPlan.read(Path(sys.argv[1])), int(sys.argv[2])).run()))
