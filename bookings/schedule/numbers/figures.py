"""What some days come to together. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from bookings.models.doctor_days import HOURS, LEADS, DoctorDay

# Groups of days ahead, the first and the last day of each; the last group has no end.
LEAD_GROUPS = ((0, 0), (1, 3), (4, 7), (8, 14), (15, LEADS - 1))


def share(part: int, whole: int) -> float | None:
    """In percent; None of nothing."""
    return 100 * part / whole if whole else None


@dataclass
class HourCount:
    offered: int = 0
    booked: int = 0

    @property
    def fill_rate(self) -> float | None:
        return share(self.booked, self.offered)


@dataclass
class Figures:
    """Shares are in percent, and None if there was nothing to count.

    Of `due` visits it is known how they ended. `agreed` ones are all that nobody has moved.
    """

    offered: int = 0
    booked: int = 0
    unmarked: int = 0
    came: int = 0
    no_show: int = 0
    cancelled_by_patient: int = 0
    cancelled_by_practice: int = 0
    moved: int = 0
    refused: int = 0
    lead_days: list[int] = field(default_factory=lambda: [0] * LEADS)

    @property
    def due(self) -> int:
        return self.came + self.no_show

    @property
    def cancelled(self) -> int:
        return self.cancelled_by_patient + self.cancelled_by_practice

    @property
    def agreed(self) -> int:
        return self.due + self.unmarked + self.cancelled

    @property
    def bookings(self) -> int:
        """First bookings: those that replace no moved visit."""
        return sum(self.lead_days)

    @property
    def fill_rate(self) -> float | None:
        return share(self.booked, self.offered)

    @property
    def no_show_rate(self) -> float | None:
        return share(self.no_show, self.due)

    @property
    def cancelled_rate(self) -> float | None:
        return share(self.cancelled, self.agreed)

    @property
    def refused_rate(self) -> float | None:
        """Of the wishes for a time: those that led to a visit, and those that came too late."""
        return share(self.refused, self.refused + self.agreed + self.moved)

    @property
    def median_lead(self) -> int | None:
        """In days; LEADS - 1 means that many or more. Of two middle values it is the smaller."""
        middle = (self.bookings + 1) // 2
        at_most = accumulate(self.lead_days)
        return next((days for days, n in enumerate(at_most) if n >= middle > 0), None)

    @property
    def is_empty(self) -> bool:
        return not (self.offered or self.agreed or self.moved)

    @property
    def lead_groups(self) -> list[int]:
        """First bookings in each of LEAD_GROUPS."""
        return [sum(self.lead_days[first : last + 1]) for first, last in LEAD_GROUPS]

    def add(self, row: DoctorDay) -> None:
        for name in _PLAIN:
            setattr(self, name, getattr(self, name) + getattr(row, name))
        self.lead_days = [a + b for a, b in zip(self.lead_days, row.lead_days, strict=True)]


_PLAIN = (
    *("offered", "booked", "unmarked", "came", "no_show"),
    *("cancelled_by_patient", "cancelled_by_practice", "moved", "refused"),
)


def figures_of(rows: Iterable[DoctorDay]) -> Figures:
    figures = Figures()
    for row in rows:
        figures.add(row)
    return figures


def hours_of_week(rows: Iterable[DoctorDay]) -> dict[tuple[int, int], HourCount]:
    """By weekday (0 is Monday) and hour of the clinic's clock; only hours with offered times."""
    found: dict[tuple[int, int], HourCount] = {}
    for row in rows:
        for hour in range(HOURS):
            if row.offered_by_hour[hour]:
                count = found.setdefault((row.day.weekday(), hour), HourCount())
                count.offered += row.offered_by_hour[hour]
                count.booked += row.booked_by_hour[hour]
    return found
