"""A doctor's day as a list by time: visits, the slots that belong to none, and the gaps."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from django.utils.translation import gettext as _

from bookings.models import Appointment
from bookings.presentation import is_in_person, reference
from bookings.selectors.appointments import Contact, appointments_of_doctor, contacts_of
from bookings.states import ACTIVE, AppointmentStatus
from doctors.models import Doctor
from doctors.rules import GridSlot, day_bounds
from doctors.selectors.slots import grid_of_doctors


@dataclass(frozen=True)
class Visit:
    """What those who run the day need for one visit, on top of its line."""

    reference: str
    reason: str
    contact: Contact


@dataclass(frozen=True)
class Entry:
    """One line of the day. `kind`: a status of an appointment, or free, past, held, blocked, gap.

    Past is a time that nobody booked and nobody can book any more.
    """

    starts_at: datetime
    ends_at: datetime
    kind: str
    title: str = ""
    subtitle: str = ""
    is_now: bool = False
    visit: Visit | None = None


def entries_of_day(doctor: Doctor, *, day: date, now: datetime) -> list[Entry]:
    """In the order of time. Three queries, however long the day is."""
    start, end = day_bounds(day, zone=doctor.clinic.zone)
    booked = list(
        appointments_of_doctor(doctor=doctor, start=start, end=end).filter(status__in=ACTIVE)
    )
    contacts = contacts_of(booked)
    slots = grid_of_doctors(doctor_ids=[doctor.pk], start=start, end=end).get(doctor.pk, [])
    entries = [_visit_entry(each, contact=contacts[each.pk], now=now) for each in booked]
    entries += [_slot_entry(slot, now=now) for slot in slots if slot.state != "booked"]
    entries += _gaps(sorted(entries, key=lambda entry: entry.starts_at))
    return sorted(entries, key=lambda entry: entry.starts_at)


def counts_of(entries: Iterable[Entry]) -> dict[str, int]:
    kinds = [entry.kind for entry in entries]
    return {
        "visits": sum(kind in ACTIVE for kind in kinds),
        "done": kinds.count(AppointmentStatus.COMPLETED),
        "free": kinds.count("free"),
        "on_hold": kinds.count("held"),
    }


def who_waits(entries: Iterable[Entry]) -> Entry | None:
    """The first who has arrived and is not done yet."""
    return next((each for each in entries if each.kind == AppointmentStatus.ARRIVED), None)


def _visit_entry(appointment: Appointment, *, contact: Contact, now: datetime) -> Entry:
    agreed = appointment.agreed
    how = "" if is_in_person(appointment) else f", {agreed.get_mode_display()}"
    return Entry(
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        kind=appointment.status,
        title=appointment.patient_name,
        subtitle=f"{agreed.name}{how}",
        is_now=appointment.starts_at <= now < appointment.ends_at,
        visit=Visit(reference(appointment.pk), appointment.reason, contact),
    )


def _slot_entry(slot: GridSlot, *, now: datetime) -> Entry:
    kind, title, subtitle = "free", _("Free"), ""
    if slot.is_on_hold(now=now):
        kind, title, subtitle = "held", _("On hold"), _("Somebody is confirming")
    elif slot.state == "blocked":
        kind, title = "blocked", _("Blocked")
    elif slot.starts_at <= now:
        kind, title = "past", _("Not booked")
    is_now = slot.starts_at <= now < slot.ends_at
    return Entry(slot.starts_at, slot.ends_at, kind, title, subtitle, is_now)


def _gaps(entries: list[Entry]) -> list[Entry]:
    """Where the doctor has no hours, between the first and the last line of the day."""
    return [
        Entry(before.ends_at, after.starts_at, "gap")
        for before, after in pairwise(entries)
        if before.ends_at < after.starts_at
    ]
