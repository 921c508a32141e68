"""Who is measured: what a scheduler must say of itself, and what DocBook says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bookings.holding.codes import derive
from proof.booker import WrongAnswer
from proof.client import Answer, headers_of
from proof.fixtures import make_fixture, renewed
from proof.peers.flows import Ask, Flow
from proof.plan import API, SLOTS_A_DAY
from proof.stack import Stack

# Two days for bookings. The third has the time that a crowd wants, the fourth is only looked at.
DAYS = 4
WANTED = 2 * SLOTS_A_DAY
LOOKED_AT = 3 * SLOTS_A_DAY


@dataclass(frozen=True)
class Size:
    rounds: int = 5
    seconds: float = 6.0
    connections: int = 16
    doctors: int = 300
    people: int = 4000
    crowd: int = 50
    seed: int = 1


@dataclass(frozen=True)
class Visit:
    """Numbers of a doctor, of one of the times that every doctor has, and of a person."""

    doctor: int
    time: int
    person: int


def visits(size: Size) -> Iterator[Visit]:
    """A person's visits never overlap: between two of them there is one time of every doctor."""
    number = 0
    for time in range(WANTED):
        for doctor in range(size.doctors):
            yield Visit(doctor, time, number % size.people)
            number += 1


class Side(Protocol):
    """`web` is the name of the part of the stack that answers at `url`."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def web(self) -> str: ...

    def make_ready(self) -> None:
        """Comes before each round."""

    def look(self, visit: Visit) -> Flow:
        """The free times of the visit's day, which must contain its time."""

    def book(self, visit: Visit) -> Flow:
        """From the list of free times to the appointment."""

    def appointments(self, visit: Visit) -> int:
        """How many the doctor has at that time, by the rows."""


def require(status: int, answer: Answer) -> Answer:
    if answer.status != status:
        raise WrongAnswer(f"{answer.status} instead of {status}")
    return answer


class DocBook:
    """By the API, as people who are signed in."""

    name = "DocBook"
    web = "web"

    def __init__(self, stack: Stack, size: Size) -> None:
        self.stack, self.url = stack, stack.url
        self.fixture = make_fixture(
            stack,
            doctors=size.doctors,
            slots=DAYS * SLOTS_A_DAY,
            patients=size.people,
            seed=size.seed,
        )
        rows = stack.rows("SELECT DISTINCT starts_at FROM doctors_slot ORDER BY starts_at")
        self.starts: Sequence[datetime] = [start for (start,) in rows]

    def make_ready(self) -> None:
        self.stack.let_planner_look()
        self.fixture = renewed(self.stack, self.fixture)

    def look(self, visit: Visit) -> Flow:
        calendar = self.fixture.calendars[visit.doctor]
        query = f"visit_type={calendar.single}&limit=100&date={self.starts[visit.time]:%Y-%m-%d}"
        path = f"{API}/doctors/{calendar.doctor}/slots?{query}"
        answer = require(200, (yield Ask("GET", path, headers=self._headers(visit))))
        if calendar.slots[visit.time] not in {each["slotId"] for each in answer.data["items"]}:
            raise WrongAnswer("the time is not in the list")

    def book(self, visit: Visit) -> Flow:
        yield from self.look(visit)
        calendar = self.fixture.calendars[visit.doctor]
        slot, headers = calendar.slots[visit.time], self._headers(visit)
        body: dict[str, object] = {"slotId": slot, "visitTypeId": calendar.single}
        key = f"Idempotency-Key: peers-{slot}\r\n"
        held = require(201, (yield Ask("POST", f"{API}/bookings", body, headers + key)))
        attempt = held.data["attemptId"]
        code = derive(key=self.stack.otp_key, hold_id=UUID(attempt), resend=0)
        path = f"{API}/bookings/{attempt}/verify-otp"
        booked = require(200, (yield Ask("POST", path, {"code": code}, headers)))
        if booked.data["status"] != "confirmed":
            raise WrongAnswer(f"{booked.data['status']} instead of confirmed")

    def appointments(self, visit: Visit) -> int:
        sql = """
            SELECT count(*) FROM bookings_appointment
            WHERE doctor_id = %s AND starts_at = %s AND status = 'confirmed'
        """
        calendar = self.fixture.calendars[visit.doctor]
        ((count,),) = self.stack.rows(sql, calendar.doctor, self.starts[visit.time])
        return int(count)

    def _headers(self, visit: Visit) -> str:
        patient = self.fixture.patients[visit.person]
        return headers_of(token=patient.token, address=patient.address)
