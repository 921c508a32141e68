"""A doctor's day as a list by time: visits, other slots, and gaps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, groupby, pairwise
from operator import attrgetter
from uuid import UUID

from django.utils.translation import gettext as _

from bookings.appointments.presentation import is_in_person
from bookings.appointments.selectors.appointments import Contact, appointments_of_days, contacts_of
from bookings.models import Appointment
from bookings.schedule.acts import Act, acts_on
from bookings.states import ACTIVE, AppointmentStatus
from docbook.references import reference
from doctors.models import Doctor
from doctors.rules import GridSlot, Place, instants_of_days
from doctors.selectors.slots import grid_of_doctors


@dataclass(frozen=True)
class Visit:
    """What people who run the day need for one visit, in addition to its line. `acts` are those
    that need no words.
    """

    id: UUID
    version: int
    reference: str
    reason: str
    contact: Contact
    acts: list[Act]

    @property
    def id_text(self) -> str:
        return str(self.id)


_ICONS = {
    "confirmed": "calendar-check",
    "arrived": "door-open",
    "completed": "check",
    "no_show": "user-x",
    "held": "hourglass",
    "free": "clock",
    "past": "calendar-x",
    "blocked": "lock",
}


@dataclass(frozen=True)
class ScheduleLine:
    """One line of the day. `kind`: a status of an appointment, or free, past, held, blocked, gap.

    Past is a time that nobody booked and nobody can book any more.
    """

    starts_at: datetime
    ends_at: datetime
    place: Place
    kind: str
    title: str = ""
    subtitle: str = ""
    is_now: bool = False
    visit: Visit | None = None

    @property
    def icon(self) -> str:
        """Its name in the sprite; empty for a gap."""
        return _ICONS.get(self.kind, "")

    @property
    def kind_words(self) -> str:
        """How the visit stands; empty for a time without one."""
        return str(AppointmentStatus(self.kind).label) if self.visit else ""


# The lines of each doctor, by their id, and of each day.
Lines = Mapping[tuple[int, date], list["ScheduleLine"]]


def lines_of_day(doctor: Doctor, *, day: date, now: datetime) -> list[ScheduleLine]:
    """As `lines_of_days`."""
    return lines_of_days([doctor], first=day, last=day, now=now)[doctor.pk, day]


def lines_of_days(doctors: Sequence[Doctor], *, first: date, last: date, now: datetime) -> Lines:
    """In order of time, each on its day by its own clinic's clock; empty for a day without any.
    Three queries, however many doctors, days and visits there are.
    """
    found: dict[tuple[int, date], list[ScheduleLine]] = defaultdict(list)
    booked = list(
        appointments_of_days(doctors=doctors, first=first, last=last).filter(status__in=ACTIVE)
    )
    contacts = contacts_of(booked)
    for each in booked:
        line = _visit_line(each, contact=contacts[each.pk], now=now)
        found[each.doctor_id, each.local_day].append(line)
    start, end = instants_of_days(first, last)
    grids = grid_of_doctors(doctor_ids=[each.pk for each in doctors], start=start, end=end)
    for slot in chain.from_iterable(grids.values()):
        if slot.state != "booked" and first <= slot.local_day <= last:
            found[slot.doctor_id, slot.local_day].append(_slot_line(slot, now=now))
    for lines in found.values():
        lines.sort(key=attrgetter("starts_at"))
        lines.extend(_gaps(lines))
        lines.sort(key=attrgetter("starts_at"))
    return found


def counts_of(lines: Iterable[ScheduleLine]) -> dict[str, int]:
    kinds = [line.kind for line in lines]
    return {
        "visits": sum(kind in ACTIVE for kind in kinds),
        "done": kinds.count(AppointmentStatus.COMPLETED),
        "free": kinds.count("free"),
        "on_hold": kinds.count("held"),
    }


@dataclass(frozen=True)
class StretchOfDay:
    """Consecutive lines at one clinic."""

    place: Place
    lines: list[ScheduleLine]


def stretches_of(lines: Iterable[ScheduleLine]) -> list[StretchOfDay]:
    return [
        StretchOfDay(place, list(group)) for place, group in groupby(lines, attrgetter("place"))
    ]


def places_of(lines: Iterable[ScheduleLine]) -> list[Place]:
    """The clinics of the day."""
    return list(dict.fromkeys(line.place for line in lines))


def who_waits(lines: Iterable[ScheduleLine]) -> ScheduleLine | None:
    """The first patient who has arrived and is not done yet."""
    return next((each for each in lines if each.kind == AppointmentStatus.ARRIVED), None)


def _visit_line(appointment: Appointment, *, contact: Contact, now: datetime) -> ScheduleLine:
    agreed = appointment.agreed
    how = "" if is_in_person(appointment) else f", {agreed.get_mode_display()}"
    return ScheduleLine(
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        place=_place_of(appointment),
        kind=appointment.status,
        title=appointment.patient_name,
        subtitle=f"{agreed.name}{how}",
        is_now=appointment.starts_at <= now < appointment.ends_at,
        visit=_visit(appointment, contact=contact),
    )


def _visit(appointment: Appointment, *, contact: Contact) -> Visit:
    return Visit(
        id=appointment.pk,
        version=appointment.version,
        reference=reference(appointment.pk),
        reason=appointment.reason,
        contact=contact,
        acts=[act for act in acts_on(appointment.status) if act is not Act.CANCEL],
    )


def _place_of(visit: Appointment) -> Place:
    """As agreed."""
    where = (visit.place_name, visit.street, visit.postcode, visit.city, visit.time_zone)
    return Place(visit.clinic_id, *where)


def _slot_line(slot: GridSlot, *, now: datetime) -> ScheduleLine:
    kind, title, subtitle = "free", _("Free"), ""
    if slot.is_on_hold(now=now):
        kind, title, subtitle = "held", _("On hold"), _("Somebody is confirming")
    elif slot.state == "blocked":
        kind, title = "blocked", _("Blocked")
    elif slot.starts_at <= now:
        kind, title = "past", _("Not booked")
    is_now = slot.starts_at <= now < slot.ends_at
    return ScheduleLine(slot.starts_at, slot.ends_at, slot.place, kind, title, subtitle, is_now)


def _gaps(lines: list[ScheduleLine]) -> list[ScheduleLine]:
    """Where the doctor has no hours, between the first and the last line of the day."""
    return [
        ScheduleLine(before.ends_at, after.starts_at, after.place, "gap")
        for before, after in pairwise(lines)
        if before.ends_at < after.starts_at
    ]
