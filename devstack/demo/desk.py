"""What the demo's secretary has done so far: marks of today, notes, and who waits for a time."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from django.db.models import Case, DateTimeField, F, Value, When
from django.db.models.functions import Least

from accounts.models import User
from bookings.models import Appointment, VisitNote, WaitlistEntry
from bookings.states import ACTIVE, AppointmentStatus
from bookings.waitlist.selectors import free_times_near
from devstack.demo.cast import DOCTOR
from doctors.models import Doctor

_S = AppointmentStatus
_MARKS = (_S.ARRIVED, _S.COMPLETED, _S.NO_SHOW)
MOST_WAITING = 5

_NOTES = (
    "Prefers to be called in the afternoon.",
    "Brings the letter of the family doctor.",
    "Needs the room with the wide door.",
    "Allergic to latex gloves.",
    "Asked for a longer visit next time.",
    "The daughter comes along and interprets.",
    "The result is in. Discuss it first.",
)


def run_the_desk(secretary: User, *, rng: Random, now: datetime) -> None:
    """For all doctors of this secretary."""
    doctors = list(Doctor.objects.filter(secretaries__secretary=secretary).order_by("pk"))
    _sign_marks(doctors, secretary=secretary, now=now)
    VisitNote.objects.bulk_create(_notes(doctors, secretary=secretary, rng=rng, now=now))
    _fill_waitlist(Doctor.objects.get(slug=DOCTOR.slug), now=now)


def _sign_marks(doctors: list[Doctor], *, secretary: User, now: datetime) -> None:
    """Today's marks say who made them and when: at the end of a visit, or just before it."""
    since = now.replace(hour=0, minute=0, second=0, microsecond=0)
    marks = Appointment.objects.filter(
        doctor__in=doctors, starts_at__range=(since, now + timedelta(days=1)), status__in=_MARKS
    )
    marked_at = Case(
        When(status=_S.COMPLETED, then=F("ends_at")),
        When(status=_S.NO_SHOW, then=F("starts_at") + timedelta(minutes=15)),
        default=F("starts_at") - timedelta(minutes=12),
        output_field=DateTimeField(),
    )
    marks.update(
        changed_at=Least(marked_at, Value(now, DateTimeField())),
        changed_by_kind="secretary",
        changed_by=secretary.pk,
    )


def _notes(
    doctors: list[Doctor], *, secretary: User, rng: Random, now: datetime
) -> Iterator[VisitNote]:
    """On every fifth visit from last week until tomorrow."""
    near = Appointment.objects.filter(
        doctor__in=doctors,
        status__in=ACTIVE,
        starts_at__range=(now - timedelta(days=7), now + timedelta(days=1)),
    )
    for visit in near.order_by("starts_at", "doctor")[::5]:
        yield VisitNote(
            hold_id=visit.pk,
            text=rng.choice(_NOTES),
            version=1,
            changed_at=min(visit.starts_at, now) - timedelta(hours=1),
            changed_by=secretary,
        )


def _fill_waitlist(doctor: Doctor, *, now: datetime) -> None:
    """Patients of this doctor want a time on the next day, which is full. Wishes that could be met
    are left out, because an offer would go out at once.
    """
    day = _next_day(doctor, now=now)
    later = Appointment.objects.filter(
        doctor=doctor, status=_S.CONFIRMED, starts_at__date__gt=day + timedelta(days=7)
    )
    for number, visit in enumerate(later.order_by("starts_at", "pk")[:MOST_WAITING]):
        entry = WaitlistEntry(
            patient_id=visit.patient_id,
            doctor=doctor,
            visit_type_id=visit.visit_type_id,
            from_on=day,
            until_on=day,
            replaces=visit.pk,
        )
        if next(free_times_near(entry, now=now), None) is None:
            entry.save()
            joined_at = now - timedelta(hours=3 * number + 2)
            WaitlistEntry.objects.filter(pk=entry.pk).update(created_at=joined_at)


def _next_day(doctor: Doctor, *, now: datetime) -> date:
    """The next day with times, or tomorrow."""
    tomorrow = now.date() + timedelta(days=1)
    zone = doctor.clinic.zone
    ahead = doctor.slots.filter(starts_at__gt=now).values_list("starts_at", flat=True)
    days = (start.astimezone(zone).date() for start in ahead.order_by("starts_at"))
    return next((day for day in days if day >= tomorrow), tomorrow)
