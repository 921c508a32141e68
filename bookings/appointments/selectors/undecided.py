"""What the practice has decided about booked visits outside a doctor's hours, and what is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from zoneinfo import ZoneInfo

from bookings.appointments.selectors.outside_hours import BookedVisit, visits_outside
from bookings.models import Choice, ItemState, RearrangedVisit
from doctors.hours import Hours
from doctors.models import Doctor


class Standing(StrEnum):
    """`ANSWER`: other times are held, and the patient has not answered yet."""

    OPEN = "open"
    UNDER_WAY = "under-way"
    ANSWER = "answer"
    KEPT = "kept"


@dataclass(frozen=True)
class OutsideVisit:
    """`last` is what was decided last, if anything was."""

    visit: BookedVisit
    standing: Standing
    last: RearrangedVisit | None = None


def outside_visits(
    doctor: Doctor, *, hours: Hours, visits: Sequence[BookedVisit], now: datetime
) -> list[OutsideVisit]:
    """In order of time; of a doctor who is switched off, all visits. One query if there are any."""
    outside = visits_outside(hours, visits) if doctor.is_active else list(visits)
    if not outside:
        return []
    decided = RearrangedVisit.objects.filter(visit__in=[each.id for each in outside])
    decided = decided.select_related("rearrangement").order_by("pk")
    last = {each.visit_id: each for each in decided}
    return [
        OutsideVisit(
            each, _standing(last.get(each.id), visit=each, hours=hours, now=now), last.get(each.id)
        )
        for each in outside
    ]


def day_hours(hours: Hours, *, of: BookedVisit) -> str:
    """The same as long as the doctor's hours on the day of the visit stay, at its clinic."""
    day = of.starts_at.astimezone(ZoneInfo(of.time_zone)).date()
    slots = sorted(
        f"{slot.mode} {slot.period.starts_at.isoformat()} {slot.period.ends_at.isoformat()}"
        for slot in hours.slots_from(day, days=1)
        if slot.clinic_id == of.clinic_id
    )
    return sha256("\n".join(slots).encode()).hexdigest()[:16]


def _standing(
    last: RearrangedVisit | None, *, visit: BookedVisit, hours: Hours, now: datetime
) -> Standing:
    if last is None or last.state == ItemState.FAILED:
        return Standing.OPEN
    if last.state == ItemState.WAITING:
        return Standing.UNDER_WAY
    if last.offered_until and last.offered_until > now:
        return Standing.ANSWER
    is_kept = last.rearrangement.choice == Choice.KEEP
    return (
        Standing.KEPT if is_kept and last.day_hours == day_hours(hours, of=visit) else Standing.OPEN
    )
