"""Which of a doctor's times are taken, by which patients and for what. Only plans; writes
nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from bookings.states import AppointmentStatus
from devstack.demo.people import Patient
from doctors.models import VisitType
from doctors.rules import GridSlot, adjacent_run
from doctors.selectors.slots import wanted_for

ONE_WEEK = timedelta(weeks=1)

# The share of times taken, by weeks from today; -1 stands for the whole past.
BUSY = {-1: 0.5, 0: 0.2, 1: 0.12, 2: 0.06, 3: 0.03}
FULL = {-1: 0.85, 0: 0.7, 1: 0.45, 2: 0.25, 3: 0.15}
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

Run = tuple[GridSlot, ...]


class Visit(NamedTuple):
    """A hold and its appointment."""

    id: UUID
    visit_type: VisitType
    slots: Run
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


class Planner:
    """Plans the visits to the doctors of one city. The same generator plans the same visits.

    Keeps every patient's diary, so nobody is in two places at once.
    """

    def __init__(self, rng: Random, *, patients: list[Patient], now: datetime) -> None:
        self._rng, self._patients, self._now = rng, patients, now
        self._diary: dict[int, list[Visit]] = defaultdict(list)

    def plan(
        self,
        grid: list[GridSlot],
        *,
        visit_types: list[VisitType],
        shares: dict[int, float],
        full_on: Collection[date] = (),
    ) -> Iterator[Visit]:
        """Walks through one doctor's slots in order and takes a share of the open ones, on the days
        `full_on` all of them.
        """
        index = 0
        while index < len(grid):
            visit = None
            share = shares.get(self._week(grid[index]), 0)
            if self._rng.random() < (1 if grid[index].local_day in full_on else share):
                visit = self._draw(grid, index, visit_types=visit_types)
            if visit:
                yield visit
            # A visit that was called off leaves its time to the next patient.
            is_taken = visit and visit.status != AppointmentStatus.CANCELLED
            index += len(visit.slots) if visit and is_taken else 1

    def book(
        self, run: Run, *, visit_type: VisitType, patient: Patient, status: AppointmentStatus
    ) -> Visit:
        """A visit that was booked up to four weeks before, and not today."""
        before = timedelta(minutes=self._rng.randint(600, 40_000))
        visit = Visit(
            id=uuid7(),
            visit_type=visit_type,
            slots=run,
            patient=patient,
            status=status,
            reason=self._rng.choice(_WORDS),
            booked_at=min(run[0].starts_at, self._now) - before,
        )
        self._diary[patient.id].append(visit)
        return visit

    def _week(self, slot: GridSlot) -> int:
        return max((slot.starts_at - self._now) // ONE_WEEK, -1)

    def _draw(
        self, grid: list[GridSlot], index: int, *, visit_types: list[VisitType]
    ) -> Visit | None:
        runs = [(each, open_run(grid, index, visit_type=each)) for each in visit_types]
        fitting = [(each, run) for each, run in runs if run]
        if not fitting:
            return None
        visit_type, run = self._rng.choice(fitting)
        patient = self._free_patient(run)
        if patient is None:
            return None
        return self.book(run, visit_type=visit_type, patient=patient, status=self._status(run))

    def _free_patient(self, run: Run) -> Patient | None:
        """Somebody who has time then. After a few busy patients, the slot stays open."""
        tries = [self._rng.choice(self._patients) for _ in range(4)]
        return next((patient for patient in tries if self._has_time(patient, run)), None)

    def _has_time(self, patient: Patient, run: Run) -> bool:
        return all(
            run[-1].ends_at <= visit.starts_at or visit.ends_at <= run[0].starts_at
            for visit in self._diary[patient.id]
        )

    def _status(self, run: Run) -> AppointmentStatus:
        if run[0].starts_at >= self._now:
            return AppointmentStatus.CONFIRMED
        drawn = self._rng.random()
        if drawn < 0.07:
            return AppointmentStatus.CANCELLED
        return AppointmentStatus.NO_SHOW if drawn < 0.12 else AppointmentStatus.COMPLETED


def open_run(grid: list[GridSlot], index: int, *, visit_type: VisitType) -> Run:
    """The open slots that a visit from this one on would take; empty if it does not fit."""
    run = adjacent_run(grid, first=index, length=visit_type.slots)
    fits = all(slot.state == "open" and slot.takes(wanted_for(visit_type)) for slot in run)
    return run if fits else ()
