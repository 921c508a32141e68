"""What the page of the desk shows: who may be calling, and the times to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bookings.schedule.desk.selectors.next_times import (
    OfferedTime,
    next_times,
    same_visit_type,
    visit_types_of,
)
from bookings.schedule.desk.selectors.patients import Found
from doctors.models import Doctor, VisitType


@dataclass(frozen=True)
class Caller:
    """Somebody who was found. `key` stands for them in the form."""

    key: str
    found: Found


@dataclass(frozen=True)
class Choice:
    """Which times somebody wants to see. `anybody`: also those of colleagues."""

    visit_type_id: int | None = None
    anybody: bool = False
    from_on: date | None = None


@dataclass(frozen=True)
class Offer:
    """The visit types of the doctor, the chosen one, and its next times."""

    visit_types: Sequence[VisitType]
    chosen: VisitType | None
    times: Sequence[OfferedTime]
    has_colleagues: bool
    choice: Choice

    @property
    def shown_for(self) -> str:
        """Says for which choice the times are, and so whether it has changed since."""
        parts = (self.chosen and self.chosen.pk, self.choice.anybody, self.choice.from_on)
        return " ".join(map(str, parts))


def offer_of(
    doctor: Doctor, *, colleagues: Sequence[Doctor], choice: Choice, now: datetime
) -> Offer:
    """`colleagues` are all doctors that the reader acts for, this one included. Of them, those with
    the same specialty offer their times too if anybody may do it, for a visit of the same name.
    """
    visit_types = visit_types_of(doctor)
    chosen = next((each for each in visit_types if each.pk == choice.visit_type_id), None)
    chosen = chosen or next(iter(visit_types), None)
    wanted = [chosen] if chosen else []
    if chosen and choice.anybody:
        wanted = same_visit_type(chosen, doctors=colleagues)
    alike = [each for each in colleagues if each.specialty_id == doctor.specialty_id]
    times = next_times(wanted, from_on=choice.from_on, now=now)
    return Offer(visit_types, chosen, times, len(alike) > 1, choice)
