"""Reads appointments for the people they belong to."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, DateField, DateTimeField, F, Func, Q, QuerySet, UUIDField

from accounts.models import User
from bookings.actors.holder import Holder
from bookings.models import Appointment, Hold, HoldState, PatientVisit
from bookings.states import ACTIVE, CALLED_OFF
from docbook.errors import NotFound, NotYours
from docbook.notify.phone_numbers import international
from docbook.postgres.kept_query import Given, IsAnyOf, KeptQuery
from docbook.postgres.rows import rows_of
from doctors.models import Doctor, VisitType
from doctors.recurrence import Period
from doctors.rules import VisitTime, instants_of_days
from doctors.selectors.doctors import get_bookable_doctor
from doctors.selectors.slots import times_of_doctor

TABS = ("upcoming", "past", "cancelled")
# Everything that a row on a page or in the API shows, for one query.
PARTS = ("doctor__specialty", "clinic", "visit_type__doctor", "patient")
_VISIT = KeptQuery(
    lambda: Appointment.objects.filter(
        pk=Given("pk", UUIDField()), starts_at=Given("starts_at", DateTimeField())
    ).select_related(*PARTS)
)

# What a mail says about a visit. The first and the last start tell PostgreSQL which months to read.
_VISITS = KeptQuery(
    lambda: Appointment.objects.filter(
        IsAnyOf("pk", "pks", UUIDField()),
        IsAnyOf("starts_at", "starts", DateTimeField()),
        starts_at__gte=Given("first", DateTimeField()),
        starts_at__lte=Given("last", DateTimeField()),
    ).select_related("doctor__specialty", "clinic", "patient")
)
_GIVEN = "SELECT id, starts_at, phone, email FROM bookings_hold WHERE id = ANY(%s)"


@dataclass(frozen=True)
class Contact:
    """How to reach the patient. Both may be empty."""

    phone: str
    email: str

    @property
    def channel(self) -> str:
        """How we tell them about their visits: email, sms, or empty if there is no way."""
        if self.email:
            return "email"
        return "sms" if settings.SMS_URL and international(self.phone) else ""


def appointment_of_hold(hold: Hold) -> Appointment:
    """The appointment of a confirmed hold. Reads one month only."""
    appointment = _VISIT.first(pk=hold.pk, starts_at=hold.starts_at)
    if appointment is None:
        raise Appointment.DoesNotExist
    return appointment


def visits_with_contacts(ids: Iterable[UUID]) -> dict[UUID, tuple[Appointment, Contact]]:
    """By id, with doctor, clinic and patient. Two queries, whatever their number."""
    given = {pk: row for pk, *row in rows_of(_GIVEN, list(set(ids)))}
    if not given:
        return {}
    starts = [starts_at for starts_at, _phone, _email in given.values()]
    visits = _VISITS.all(pks=list(given), starts=starts, first=min(starts), last=max(starts))
    found = {}
    for visit in visits:
        _starts_at, phone, email = given[visit.pk]
        found[visit.pk] = visit, _contact(visit, phone=phone, email=email)
    return found


def find_visit(*, pk: UUID, starts_at: datetime) -> Appointment | None:
    """With its parts. `starts_at` selects the month to read."""
    return _VISIT.first(pk=pk, starts_at=starts_at)


def get_appointment(*, appointment_id: UUID, holder: Holder) -> Appointment:
    """The patient's own appointment, or the one that this browser has just confirmed as a guest.

    Raises NotFound for anybody else's.
    """
    hold = Hold.objects.filter(pk=appointment_id, state=HoldState.CONFIRMED).first()
    if hold is None:
        raise NotFound
    if not holder.owns(hold):
        raise NotYours("appointment", appointment_id)
    return appointment_of_hold(hold)


@dataclass(frozen=True)
class Link:
    """Another visit of the same chain: when it is or was, on the clock of its place."""

    id: UUID
    starts_at: datetime
    zone: str
    status: str

    @property
    def is_off(self) -> bool:
        return self.status in CALLED_OFF


def links_to(appointment_ids: Iterable[UUID | None]) -> dict[UUID, Link]:
    """By id. The holds are read first, because they know the start, and so the month. Two
    queries.
    """
    ids = [each for each in appointment_ids if each is not None]
    if not ids:
        return {}
    starts = Hold.objects.filter(pk__in=ids).values_list("starts_at", flat=True)
    found = Appointment.objects.filter(pk__in=ids, starts_at__in=list(starts))
    rows = found.values_list("pk", "starts_at", "time_zone", "status")
    return {pk: Link(pk, starts_at, zone, status) for pk, starts_at, zone, status in rows}


def contacts_of(appointments: Iterable[Appointment]) -> dict[UUID, Contact]:
    """As given when booking, which the hold keeps; otherwise as the account has it. One query."""
    visits = {each.pk: each for each in appointments}
    contacts = {pk: _contact(visit, phone="", email="") for pk, visit in visits.items()}
    for pk, _starts_at, phone, email in rows_of(_GIVEN, list(visits)):
        contacts[pk] = _contact(visits[pk], phone=phone, email=email)
    return contacts


def _contact(visit: Appointment, *, phone: str, email: str) -> Contact:
    return Contact(phone or visit.patient.phone, email or visit.patient.address)


def phone_known(*, patient: User, moves: UUID | None) -> str:
    """The number that bookings_hold uses if nobody enters one: that of the visit that moves, or the
    account's.
    """
    mine = Hold.objects.filter(pk__in=[moves] if moves else [], patient=patient)
    account = User.objects.filter(pk=patient.pk)
    found = (rows.values_list("phone", flat=True).first() for rows in (mine, account))
    return next(filter(None, found), "")


def contact_of(appointment: Appointment) -> Contact:
    return contacts_of([appointment])[appointment.pk]


def appointments_of_patient(*, patient: User, **fields: Any) -> QuerySet[Appointment]:
    """By their start. `fields` filter them."""
    mine = Appointment.objects.filter(patient=patient, **fields)
    return mine.select_related(*PARTS).order_by("starts_at", "id")


def in_tab(
    appointments: QuerySet[Appointment], *, tab: str, now: datetime
) -> QuerySet[Appointment]:
    """One of TABS: upcoming sorted by nearest first, past and cancelled by latest first."""
    if tab == "cancelled":
        return appointments.filter(status__in=CALLED_OFF).order_by("-starts_at", "id")
    kept = appointments.filter(status__in=ACTIVE)
    if tab == "past":
        return kept.filter(ends_at__lte=now).order_by("-starts_at", "id")
    return kept.filter(ends_at__gt=now).order_by("starts_at", "id")


def counts_by_tab(*, patient: User, now: datetime) -> dict[str, int]:
    """How many each of TABS has. One query."""
    numbers = {
        "upcoming": Count("pk", filter=Q(status__in=ACTIVE, ends_at__gt=now)),
        "past": Count("pk", filter=Q(status__in=ACTIVE, ends_at__lte=now)),
        "cancelled": Count("pk", filter=Q(status__in=CALLED_OFF)),
    }
    return Appointment.objects.filter(patient=patient).aggregate(**numbers)


def doctor_to_move_with(visit: Appointment) -> Doctor | None:
    """None where the doctor, or the visit type, can no longer be booked."""
    if not visit.visit_type.is_active:
        return None
    try:
        return get_bookable_doctor(pk=visit.doctor_id)
    except NotFound:
        return None


def times_to_move_to(
    appointment: Appointment, *, start: datetime, end: datetime, now: datetime
) -> list[VisitTime]:
    """Free starts in [start, end) with the same doctor for what was agreed, except the visit's own.
    None if the doctor or the visit type can no longer be booked.
    """
    doctor, visit_type = appointment.doctor, appointment.visit_type
    if not (doctor.is_active and visit_type.is_active):
        return []
    free, _on_hold = times_of_doctor(
        doctor=doctor,
        visit_type=visit_type_as_agreed(appointment),
        start=start,
        end=end,
        now=now,
        moves=appointment.pk,
    )
    return [time for time in free if time.starts_at != appointment.starts_at]


def busy_periods(
    patient_id: int, *, since: datetime, apart_from: UUID | None = None
) -> list[Period]:
    """When the patient has visits that end later than this, except that one. One query."""
    taken = PatientVisit.objects.filter(patient_id=patient_id, ends_at__gt=since)
    others = taken.exclude(appointment_id=apart_from) if apart_from else taken
    return [Period(*row) for row in others.values_list("starts_at", "ends_at")]


def visit_type_as_agreed(visit: Appointment | Hold) -> VisitType:
    """With the mode and the length that a visit keeps when it moves, in slots of the doctor's grid.
    bookings_hold uses the same values. A copy that nobody saves.
    """
    visit_type = copy.copy(visit.visit_type)
    visit_type.mode = visit.mode
    visit_type.slots = -(-visit.agreed.minutes // visit.doctor.slot_minutes)
    return visit_type


def next_visit_after(day: date, *, doctor: Doctor) -> Appointment | None:
    """The doctor's first active visit on a later day of its clinic, within two months."""
    start, end = instants_of_days(day, day + timedelta(days=60))
    visits = _with_local_day(appointments_of_doctor(doctor=doctor, start=start, end=end))
    return visits.filter(local_day__gt=day, status__in=ACTIVE).first()


def appointments_of_day(*, doctor: Doctor, day: date, **fields: Any) -> QuerySet[Appointment]:
    """Of one doctor, starting on this day, each on its own clinic's clock. `fields` filter them."""
    return appointments_of_days(doctors=[doctor], first=day, last=day).filter(**fields)


def appointments_of_days(*, doctors: Iterable[Doctor], first: date, last: date) -> QuerySet[Any]:
    """Of these doctors, starting from the first day to the last, each on its own clinic's clock:
    its day is `local_day`.
    """
    start, end = instants_of_days(first, last)
    rows = Appointment.objects.filter(doctor__in=doctors, starts_at__gte=start, starts_at__lt=end)
    within = _with_local_day(rows).filter(local_day__gte=first, local_day__lte=last)
    return within.select_related(*PARTS).order_by("starts_at", "id")


def visits_by_day(doctor: Doctor, *, first: date, last: date) -> dict[date, int]:
    """How many active visits each day has. One query."""
    rows = appointments_of_days(doctors=[doctor], first=first, last=last)
    active = rows.filter(status__in=ACTIVE).order_by().values("local_day")
    return dict(active.annotate(number=Count("pk")).values_list("local_day", "number"))


def _with_local_day(visits: QuerySet[Appointment]) -> QuerySet[Any]:
    local = Func(F("time_zone"), F("starts_at"), function="timezone")
    return visits.annotate(local_day=Func(local, function="date", output_field=DateField()))


def appointments_of_doctor(
    *, doctor: Doctor, start: datetime, end: datetime
) -> QuerySet[Appointment]:
    """Of one doctor, starting in [start, end)."""
    mine = Appointment.objects.filter(doctor=doctor, starts_at__gte=start, starts_at__lt=end)
    return mine.select_related(*PARTS).order_by("starts_at", "id")
