"""Waiting for a time: joining, leaving, and the end of the wait."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from bookings.engine.services import end_hold, lock_hold
from bookings.errors import WaitlistLimit
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry, WaitlistState
from bookings.waitlist.selectors import (
    LIVE,
    entries_of_who_has_booked,
    get_entry,
    visit_to_move,
    visit_type_for,
)
from docbook.audit import services as audit
from docbook.errors import FieldError
from docbook.lock_keys import WAITLIST_OF
from docbook.postgres.rows import rows_of
from docbook.times_of_day import ends_after, length_of_hours
from doctors.models import Specialty, VisitType
from doctors.selectors.doctors import bookable_doctors, clinics_of_specialty

# Nobody makes times further ahead; see the constraint of doctors.
FURTHEST_AHEAD = timedelta(days=366)
# How many entries one run ends.
MOST_AT_ONCE = 1000


EITHER_OR = "Name either a doctor and a reason, or a specialty and a city."


@dataclass(frozen=True, kw_only=True)
class WaitlistRequest:
    """A doctor and a visit type, or a specialty (its slug) in a city; the rest as in
    WaitlistEntry.
    """

    doctor_id: int | None = None
    visit_type_id: int | None = None
    specialty: str = ""
    city: str = ""
    mode: str = ""
    from_on: date
    until_on: date
    weekdays: tuple[int, ...] = ()
    day_from: time | None = None
    day_until: time | None = None
    replaces: UUID | None = None


def join_waitlist(
    *, patient: User, wanted: WaitlistRequest, now: datetime
) -> tuple[WaitlistEntry, bool]:
    """(the entry, whether it is new): the same wish again returns the same entry.

    Raises FieldError, naming a field of WaitlistRequest, or WaitlistLimit.
    """
    asked = _entry_of(wanted, patient=patient, now=now)
    with transaction.atomic():
        lock_waitlist_of(patient)
        mine = WaitlistEntry.objects.filter(patient=patient, state__in=LIVE)
        for entry in mine:
            if _same_wish(entry, asked):
                return entry, False
        if len(mine) >= settings.WAITLIST_ENTRIES_PER_PATIENT:
            raise WaitlistLimit(limit=settings.WAITLIST_ENTRIES_PER_PATIENT)
        asked.save(force_insert=True)
        _record(asked, action="joined", by=audit.Actor("patient", patient.pk))
    return asked, True


def leave_waitlist(*, entry_id: UUID, patient: User) -> WaitlistEntry:
    """Gives a live offer back too. An entry that was left already, or led to a visit, stays
    unchanged.

    Raises NotFound for somebody else's entry.
    """
    entry = get_entry(entry_id=entry_id, patient=patient)
    by = audit.Actor("patient", patient.pk)
    with transaction.atomic():
        lock_waitlist_of(patient)
        for offer in Hold.objects.filter(waitlist_entry=entry, state=HoldState.HELD):
            lock_hold(offer)
            if offer.state == HoldState.HELD:
                end_hold(offer, state=HoldState.RELEASED, by=by)
        _close(entry, state=WaitlistState.WITHDRAWN, by=by)
    return entry


def end_passed_entries(*, now: datetime) -> int:
    """Ends entries whose last day is over, wherever the clinic is; returns how many."""
    # Half a day behind UTC is the last place where it is still yesterday.
    today = (now - timedelta(hours=12)).date()
    passed = WaitlistEntry.objects.filter(state=WaitlistState.WAITING, until_on__lt=today)
    return sum(end_wait(entry, because="dates-passed") for entry in passed[:MOST_AT_ONCE])


def end_booked_entries() -> int:
    """Ends entries of patients who have booked it themselves; returns how many."""
    booked = entries_of_who_has_booked()[:MOST_AT_ONCE]
    return sum(end_wait(entry, because="booked") for entry in booked)


def end_wait(entry: WaitlistEntry, *, because: str) -> bool:
    """There is nothing left to wait for. False if the entry has an offer, or is over."""
    with transaction.atomic():
        return _close(entry, state=WaitlistState.ENDED, by=audit.SYSTEM, because=because)


def lock_waitlist_of(patient: User) -> None:
    """One act at a time on a patient's entries. Joining counts them. An offer and a leave would
    pass each other. Two times released at once would both be offered.
    """
    rows_of("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", f"{WAITLIST_OF}{patient.pk}")


def _close(
    entry: WaitlistEntry, *, state: WaitlistState, by: audit.Actor, because: str = ""
) -> bool:
    waiting = WaitlistEntry.objects.filter(pk=entry.pk, state=WaitlistState.WAITING)
    closed = bool(waiting.update(state=state))
    entry.refresh_from_db(fields=["state"])
    if closed:
        _record(entry, action=state.value, by=by, because=because)
    return closed


def _record(entry: WaitlistEntry, *, action: str, by: audit.Actor, because: str = "") -> None:
    after = {"state": entry.state} | ({"because": because} if because else {})
    audit.record(action=f"waitlist.{action}", by=by, on=("waitlist", entry.pk), after=after)


def _same_wish(entry: WaitlistEntry, asked: WaitlistEntry) -> bool:
    own = ("id", "state", "created_at")
    columns = [each.attname for each in WaitlistEntry._meta.concrete_fields]
    return all(getattr(entry, name) == getattr(asked, name) for name in columns if name not in own)


def _entry_of(wanted: WaitlistRequest, *, patient: User, now: datetime) -> WaitlistEntry:
    """Not saved. Raises FieldError."""
    entry = WaitlistEntry(
        patient=patient,
        mode=wanted.mode,
        from_on=wanted.from_on,
        until_on=wanted.until_on,
        weekdays=sorted(set(wanted.weekdays)),
        day_from=wanted.day_from,
        day_until=wanted.day_until,
        replaces=wanted.replaces,
    )
    _name_the_doctors(entry, wanted=wanted, now=now)
    _check_days(entry, now=now)
    _check_times(entry)
    if wanted.replaces is not None:
        visit = visit_to_move(appointment_id=wanted.replaces, patient=patient, now=now)
        _check_visit_to_move(entry, visit=visit)
    return entry


def _name_the_doctors(entry: WaitlistEntry, *, wanted: WaitlistRequest, now: datetime) -> None:
    by_specialty = bool(wanted.specialty or wanted.city)
    if by_specialty == (wanted.doctor_id is not None):
        raise FieldError("doctor", EITHER_OR, field_code="one-of")
    if by_specialty:
        _name_the_specialty(entry, wanted=wanted, now=now)
    else:
        _name_the_doctor(entry, wanted=wanted)


def _name_the_doctor(entry: WaitlistEntry, *, wanted: WaitlistRequest) -> None:
    entry.doctor = bookable_doctors().filter(pk__in=[wanted.doctor_id]).first()
    if entry.doctor is None:
        raise FieldError("doctor", "This doctor does not exist.", field_code="unknown")
    offered = VisitType.objects.filter(doctor=entry.doctor, is_active=True)
    entry.visit_type = offered.filter(pk__in=[wanted.visit_type_id]).first()
    if entry.visit_type is None:
        text = "This reason for a visit does not exist."
        raise FieldError("visit_type", text, field_code="unknown")
    if wanted.mode not in ("", entry.visit_type.mode):
        raise FieldError("mode", "Visits for this reason are not held in this way.")


def _name_the_specialty(entry: WaitlistEntry, *, wanted: WaitlistRequest, now: datetime) -> None:
    """The city as its clinics spell it, because times are compared with that."""
    if wanted.visit_type_id is not None:
        raise FieldError("visit_type", "A reason belongs to a doctor. Name the doctor.")
    entry.specialty = Specialty.objects.filter(slug=wanted.specialty).first()
    if entry.specialty is None:
        raise FieldError("specialty", "This specialty does not exist.", field_code="unknown")
    clinics = clinics_of_specialty(entry.specialty, now=now)
    nearby = clinics.filter(city__iexact=wanted.city).order_by("id").first()
    if nearby is None:
        text = "There is no doctor of this specialty in this city."
        raise FieldError("city", text, field_code="unknown")
    entry.city = nearby.city


def _check_days(entry: WaitlistEntry, *, now: datetime) -> None:
    if entry.until_on < entry.from_on:
        raise FieldError("until_on", "The last day must not be before the first.")
    if entry.until_on < (now - timedelta(hours=12)).date():
        raise FieldError("until_on", "This day is over.", field_code="past")
    if entry.until_on > (now + FURTHEST_AHEAD).date():
        raise FieldError("until_on", "This day is too far away.", field_code="out-of-range")
    days = (entry.until_on - entry.from_on).days + 1
    between = {(entry.from_on + timedelta(days=n)).weekday() for n in range(min(days, 7))}
    if entry.weekdays and between.isdisjoint(entry.weekdays):
        raise FieldError("weekdays", "None of these weekdays lies between the two days.")


def _check_times(entry: WaitlistEntry) -> None:
    if entry.day_until is None:
        return
    starts = entry.day_from or time.min
    if not ends_after(entry.day_until, starts):
        raise FieldError("day_until", "The end must be later than the start.")
    if entry.visit_type is None:
        return
    length = visit_type_for(entry, entry.visit_type).duration
    if length_of_hours(starts, entry.day_until) < length:
        raise FieldError("day_until", "The visit takes longer than that.")


def _check_visit_to_move(entry: WaitlistEntry, *, visit: Appointment | None) -> None:
    """The patient's own upcoming visit, with a doctor that the entry names."""
    if visit is None:
        raise FieldError(
            "replaces", "You have no such visit that can still be moved.", field_code="unknown"
        )
    same_doctor = entry.doctor_id in (None, visit.doctor_id)
    if not same_doctor or entry.specialty_id not in (None, visit.doctor.specialty_id):
        raise FieldError("replaces", "This visit is with another doctor.")
    if entry.visit_type_id not in (None, visit.visit_type_id):
        raise FieldError("visit_type", "A visit moves to another time for the same reason.")
    if entry.from_on > visit.starts_at.astimezone(visit.zone).date():
        raise FieldError("from_on", "Only times before the visit that moves are offered.")
