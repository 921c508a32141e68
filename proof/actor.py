"""One client process: it books, moves, cancels, gives back and reads, and records everything.

Started as `python -m proof.actor PLAN NUMBER`.
"""

import sys
import time
from bisect import bisect
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from random import Random
from uuid import UUID

from bookings.holding.codes import derive
from proof.client import Answer, Client, NoAnswer, headers_of
from proof.history import Act, Event, Recorder, clock, told
from proof.plan import API, SLOTS_A_DAY, Calendar, Patient, Plan

LONGEST_PAUSE = 1.0


@dataclass(frozen=True)
class Attempt:
    """A hold, and later its visit. `version` is what this client has seen."""

    id: str
    slots: tuple[int, ...]
    patient: Patient
    replaces: str = ""
    version: int = 1


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: object = None
    key: str = ""
    version: int = 0


class Slots:
    """All slots, a few of them wanted by everybody: Zipf's law with exponent 1."""

    def __init__(self, calendars: list[Calendar], *, seed: int) -> None:
        self.places = [(each, index) for each in calendars for index in range(len(each.slots))]
        Random(seed).shuffle(self.places)
        self.weights = list(accumulate(1 / rank for rank in range(1, len(self.places) + 1)))

    def draw(self, random: Random) -> tuple[Calendar, int]:
        return self.places[bisect(self.weights, random.uniform(0, self.weights[-1]))]


class Actor:
    def __init__(self, plan: Plan, *, number: int) -> None:
        self.plan = plan
        self.number = number
        self.random = Random(f"{plan.seed} {plan.history.name} {number}")
        self.patients = plan.patients_of(number)
        self.slots = Slots(plan.calendars, seed=plan.seed)
        self.client = Client(plan.url)
        self.recorder = Recorder(plan.history / f"{number}.jsonl")
        self.count = 0
        self.held: list[Attempt] = []
        self.booked: list[Attempt] = []
        self.over: list[Attempt] = []

    def run(self) -> None:
        while clock() < self.plan.until:
            self.act()
        self.recorder.close()

    def act(self) -> None:
        """Chooses an act for which there is an object."""
        acts = {
            "hold": self.hold,
            "confirm": self.held and self.confirm,
            "release": self.held and self.release,
            "cancel": self.booked and self.cancel,
            "read": (self.held or self.booked or self.over) and self.read,
        }
        possible = [name for name, act in acts.items() if act]
        weights = [self.plan.mix[name] for name in possible]
        (name,) = self.random.choices(possible, weights)
        act = acts[name]
        if callable(act):
            act()

    # -- the acts

    def hold(self) -> None:
        if self.booked and self.random.random() < self.plan.move:
            self.hold_to_move(self.random.choice(self.booked))
            return
        calendar, index = self.slots.draw(self.random)
        visit_type, slots = self._visit(calendar, index)
        patient = self.random.choice(self.patients)
        self._ask_for({"slotId": slots[0], "visitTypeId": visit_type}, slots, patient)

    def hold_to_move(self, visit: Attempt) -> None:
        """Another time of the same doctor and visit type."""
        calendar = next(each for each in self.plan.calendars if visit.slots[0] in each.slots)
        length = len(visit.slots)
        index = self.random.randrange(len(calendar.slots) - length + 1)
        slots = tuple(calendar.slots[index : index + length])
        visit_type = calendar.single if length == 1 else calendar.double
        body = {"slotId": slots[0], "visitTypeId": visit_type, "replaces": visit.id}
        self._ask_for(body, slots, visit.patient, old=visit.id)

    def _ask_for(
        self, body: dict[str, object], slots: tuple[int, ...], patient: Patient, *, old: str = ""
    ) -> None:
        request = Request("POST", f"{API}/bookings", body, key=self._name())
        answer = self._do("hold", Attempt("", slots, patient, old), request)
        if answer is not None and answer.status == 201:
            self.held.append(Attempt(answer.data["attemptId"], slots, patient, old))

    def confirm(self) -> None:
        attempt = self._take(self.held)
        code = derive(key=self.plan.otp_key, hold_id=UUID(attempt.id), resend=0)
        request = Request("POST", f"{API}/bookings/{attempt.id}/verify-otp", {"code": code})
        answer = self._do("move" if attempt.replaces else "confirm", attempt, request)
        if answer is None or answer.status != 200:
            return
        self.booked.append(replace(attempt, version=answer.data["version"]))
        for old in [each for each in self.booked if each.id == attempt.replaces]:
            self.booked.remove(old)
            self.over.append(old)

    def release(self) -> None:
        attempt = self._take(self.held)
        self._do("release", attempt, Request("DELETE", f"{API}/bookings/{attempt.id}"))

    def cancel(self) -> None:
        visit = self._take(self.booked)
        request = Request("PATCH", f"{API}/bookings/{visit.id}/cancel", {}, version=visit.version)
        answer = self._do("cancel", visit, request)
        self.over.append(visit) if answer and answer.status == 200 else self.booked.append(visit)

    def read(self) -> None:
        attempt = self.random.choice((self.held + self.booked + self.over)[-60:])
        self._do("read", attempt, Request("GET", f"{API}/bookings/{attempt.id}"))

    # -- one operation, until there is a definite answer

    def _do(self, f: Act, attempt: Attempt, request: Request) -> Answer | None:
        """None if nobody answered for so long that the result stays unknown."""
        event = Event(
            process=self.number,
            op=self._name(),
            type="invoke",
            f=f,
            slots=attempt.slots,
            patient=attempt.patient.id,
            key=request.key,
            attempt=attempt.id,
            replaces=attempt.replaces,
        )
        pause, give_up_at = 0.05, time.monotonic() + self.plan.patience
        while time.monotonic() < give_up_at:
            answer = self._try(event, attempt.patient, request)
            if answer is not None:
                if f == "hold" and self.random.random() < self.plan.repeat:
                    self._try(event, attempt.patient, request)
                return answer
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return None

    def _try(self, event: Event, patient: Patient, request: Request) -> Answer | None:
        headers = headers_of(token=patient.token, address=patient.address, key=request.key)
        if request.version:
            headers += f'If-Match: "{request.version}"\r\n'
        self.recorder.note(replace(event, at=clock()))
        try:
            self.client.send(request.method, request.path, request.body, headers=headers)
            if self.random.random() < self.plan.lose:
                self.client.close()  # the next line finds the connection closed
            answer = self.client.receive()
        except NoAnswer:
            self.recorder.note(replace(event, type="info", at=clock()))
            return None
        heard = told(event, answer)
        self.recorder.note(heard)
        return None if heard.type == "info" else answer

    def _visit(self, calendar: Calendar, index: int) -> tuple[int, tuple[int, ...]]:
        """Two slots one time in five, if the next one is on the same day."""
        if self.random.random() < 0.2 and index % SLOTS_A_DAY < SLOTS_A_DAY - 1:
            return calendar.double, tuple(calendar.slots[index : index + 2])
        return calendar.single, (calendar.slots[index],)

    def _take(self, attempts: list[Attempt]) -> Attempt:
        return attempts.pop(self.random.randrange(len(attempts)))

    def _name(self) -> str:
        self.count += 1
        return f"{self.plan.history.name}-{self.number}-{self.count}"


def main(path: str, number: str) -> None:
    Actor(Plan.read(Path(path)), number=int(number)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
