"""Which of a doctor's times are taken, by whom and for what. Plans only; writes nothing."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from bookings.demo.people import Patient
from bookings.states import AppointmentStatus
from doctors.models import VisitType

# The part of the times that is taken, by weeks from today; the weeks before today are first.
BUSY_WEEKS = {"past": 0.5, 0: 0.2, 1: 0.12, 2: 0.06, 3: 0.03}
FULL_WEEKS = {"past": 0.85, 0: 0.7, 1: 0.45, 2: 0.25, 3: 0.15}
WEEKS_AHEAD = 4

_WORDS = (
    "",
    "",
    "It has been coming back for some weeks.",
    "I would like to talk about the results.",
    "My pharmacist told me to have it looked at.",
    "The same as last time.",
    "I am not sure whether it is urgent.",
)


class OpenSlot(NamedTuple):
    id: int
    clinic_id: int
    mode: str
    starts_at: datetime
    ends_at: datetime


class Visit(NamedTuple):
    """A hold and the appointment that came of it."""

    id: UUID
    visit_type: VisitType
    slots: tuple[OpenSlot, ...]
    patient: Patient
    status: AppointmentStatus
    reason: str
    booked_at: datetime

    @property
    def starts_at(self) -> datetime:
        return self.slots[0].starts_at

    @property
    def ends_at(self) -> datetime:
        return self.slots[-1].ends_at


class Diary:
    """When patients are busy, so that nobody is in two places at once."""

    def __init__(self) -> None:
        self._busy: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)

    def is_free(self, patient: Patient, starts_at: datetime, ends_at: datetime) -> bool:
        return all(
            ends_at <= begun or ended <= starts_at for begun, ended in self._busy[patient.id]
        )

    def enter(self, visit: Visit) -> Visit:
        self._busy[visit.patient.id].append((visit.starts_at, visit.ends_at))
        return visit


class Planner:
    """Plans the visits of one city's doctors, always the same for the same generator."""

    def __init__(self, rng: Random, *, patients: list[Patient], today: date) -> None:
        self._rng, self._patients, self._today = rng, patients, today
        self._diary = Diary()

    def plan(
        self,
        slots: list[OpenSlot],
        *,
        visit_types: list[VisitType],
        shares: dict[str | int, float],
    ) -> Iterator[Visit]:
        """Walks through a doctor's open slots, in order, and takes a share of them."""
        index = 0
        while index < len(slots):
            week = (slots[index].starts_at.date() - self._today).days // 7
            share = shares["past"] if week < 0 else shares.get(week, 0)
            taken = 1
            if self._rng.random() < share:
                visit = self._draw(slots, index, visit_types)
                if visit:
                    taken = len(visit.slots)
                    yield visit
            index += taken

    def visit(
        self,
        slots: tuple[OpenSlot, ...],
        *,
        visit_type: VisitType,
        patient: Patient,
        status: AppointmentStatus,
    ) -> Visit:
        latest = min(slots[0].starts_at, self._midnight())
        booked_at = latest - timedelta(minutes=self._rng.randint(600, 20_000))
        reason = self._rng.choice(_WORDS)
        return self._diary.enter(
            Visit(uuid7(), visit_type, slots, patient, status, reason, booked_at)
        )

    def _draw(
        self, slots: list[OpenSlot], index: int, visit_types: list[VisitType]
    ) -> Visit | None:
        fitting = [(each, run) for each in visit_types if (run := run_of_slots(slots, index, each))]
        if not fitting:
            return None
        visit_type, run = self._rng.choice(fitting)
        patient = self._free_patient(run)
        if patient is None:
            return None
        return self.visit(run, visit_type=visit_type, patient=patient, status=self._status(run[0]))

    def _free_patient(self, run: tuple[OpenSlot, ...]) -> Patient | None:
        tries = (self._rng.choice(self._patients) for _ in range(5))
        return next(
            (
                each
                for each in tries
                if self._diary.is_free(each, run[0].starts_at, run[-1].ends_at)
            ),
            None,
        )

    def _status(self, slot: OpenSlot) -> AppointmentStatus:
        if slot.starts_at >= self._midnight():
            return AppointmentStatus.CONFIRMED
        came = self._rng.random() < 0.94
        return AppointmentStatus.COMPLETED if came else AppointmentStatus.NO_SHOW
