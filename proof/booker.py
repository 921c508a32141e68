"""A client process of the benchmark: holds and confirms, on several connections at once.

Started as `python -m proof.booker PLAN NUMBER`; prints the milliseconds of each request as JSON.
Each booking uses its own slot and patient, from a list that no other client has.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from bookings.holding.codes import derive
from proof.client import Answer, Client, NoAnswer, headers_of
from proof.fixtures import Fixture
from proof.plan import Calendar, Patient


@dataclass(frozen=True)
class Task:
    """One booking."""

    slot: int
    visit_type: int
    patient: Patient
    key: str


@dataclass(frozen=True)
class BookingPlan:
    """For all clients, which take the tasks in turn. `skip` tasks were used before."""

    url: str
    otp_key: str
    seconds: float
    processes: int
    connections: int
    skip: int
    begin_at: float
    calendars: Sequence[Calendar]
    patients: Sequence[Patient]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "BookingPlan":
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


class Desk:
    """One connection and its current booking."""

    def __init__(self, plan: BookingPlan) -> None:
        self.client = Client(plan.url)
        self.otp_key = plan.otp_key
        self.begun = 0.0

    def hold(self, task: Task) -> None:
        self.task = task
        body = {"slotId": task.slot, "visitTypeId": task.visit_type}
        self._send("/api/v1/bookings", body, key=task.key)

    def confirm(self, attempt: str) -> None:
        code = derive(key=self.otp_key, hold_id=UUID(attempt), resend=0)
        self._send(f"/api/v1/bookings/{attempt}/verify-otp", {"code": code})

    def answer(self) -> tuple[Answer, float]:
        """With the milliseconds since the request."""
        found = self.client.receive()
        return found, (time.perf_counter() - self.begun) * 1000

    def _send(self, path: str, body: object, *, key: str = "") -> None:
        patient = self.task.patient
        lines = headers_of(token=patient.token, address=patient.address, key=key)
        self.begun = time.perf_counter()
        self.client.send("POST", path, body, headers=lines)


def run(plan: BookingPlan, number: int) -> dict[str, object]:
    """Times by act, and the wrong answers by status and code."""
    desks = [Desk(plan) for _ in range(plan.connections)]
    tasks = plan.tasks(number)
    found: dict[str, list[float]] = {"hold": [], "confirm": []}
    wrong: list[str] = []
    taken = 0
    while time.time() < plan.begin_at:  # all processes at once
        time.sleep(0.001)
    until = plan.begin_at + plan.seconds
    while time.time() < until:
        busy = [(desk, task) for desk, task in zip(desks, tasks, strict=False)]
        if not busy:  # a fast machine has booked everything
            break
        taken += len(busy)
        for desk, task in busy:
            desk.hold(task)
        waiting = []
        for desk, _task in busy:
            answer = _noted(desk, found["hold"], wrong, expected=201)
            if answer is not None:
                desk.confirm(answer.data["attemptId"])
                waiting.append(desk)
        for desk in waiting:
            _noted(desk, found["confirm"], wrong, expected=200)
    return {
        "taken": taken,
        "times": found,
        "wrong": wrong[:20],
        "seconds": time.time() - plan.begin_at,
    }


def _noted(desk: Desk, times: list[float], wrong: list[str], *, expected: int) -> Answer | None:
    try:
        answer, took = desk.answer()
    except NoAnswer:
        wrong.append("no answer")
        return None
    if answer.status != expected:
        wrong.append(f"{answer.status} {answer.data.get('code')}")
        return None
    times.append(took)
    return answer


def plan_of(fixture: Fixture, **more: object) -> BookingPlan:
    return BookingPlan(calendars=fixture.calendars, patients=fixture.patients, **more)  # type: ignore[arg-type]


if __name__ == "__main__":
    print(json.dumps(run(BookingPlan.read(Path(sys.argv[1])), int(sys.argv[2]))))
