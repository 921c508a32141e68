"""A random history of a practice, and its counts by going through it row by row."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from bookings.models import Appointment, DoctorDay
from bookings.models.doctor_days import LEADS
from doctors.models import Clinic, Doctor, Slot
from tests.factories import make_appointment, make_doctor, make_slots, make_user, make_visit_type

STATUSES = ("confirmed", "arrived", "completed", "no_show", "cancelled", "rescheduled")
KINDS = ("patient", "guest", "doctor", "secretary", "staff", "system", "")
Counts = dict[tuple[int, int, date], dict[str, object]]


def make_history(
    *, rng: Random, clinics: list[Clinic], starts: list[datetime], each: int = 6
) -> list[Doctor]:
    """A doctor at each clinic, with slots from each of these instants on."""
    doctors = [make_doctor(user=make_user(), clinic=clinic) for clinic in clinics]
    for doctor in doctors:
        visit_type = make_visit_type(doctor=doctor)
        for start in starts:
            for slot in make_slots(doctor=doctor, starts_at=start, count=each):
                _fill(slot, visit_type=visit_type, rng=rng)
    return doctors


def _fill(slot: Slot, *, visit_type, rng: Random) -> None:
    kind = rng.choice(("open", "blocked", *STATUSES, *STATUSES))
    if kind == "blocked":
        Slot.objects.filter(pk=slot.pk).update(state="blocked")
    if kind not in STATUSES:
        return
    visit = make_appointment(
        slots=[slot],
        visit_type=visit_type,
        status=kind,
        changed_by_kind=rng.choice(KINDS),
        replaces=rng.choice((None, None, UUID(int=rng.getrandbits(128), version=4))),
    )
    booked_at = slot.starts_at - timedelta(minutes=rng.randint(10, 80 * 24 * 60))
    Appointment.objects.filter(pk=visit.pk).update(created_at=booked_at)
    if kind in ("cancelled", "rescheduled"):
        Slot.objects.filter(pk=slot.pk).update(state="open", hold_id=None)


def counted() -> Counts:
    names = [
        *("offered", "booked", "offered_by_hour", "booked_by_hour", "unmarked", "came"),
        *("no_show", "cancelled_by_patient", "cancelled_by_practice", "moved", "lead_days"),
    ]
    return {
        (row.doctor_id, row.clinic_id, row.day): {name: getattr(row, name) for name in names}
        for row in DoctorDay.objects.all()
    }


def expected(*, first: date, last: date, now: datetime) -> Counts:
    found: dict = defaultdict(Counter)
    for slot in Slot.objects.select_related("clinic"):
        local = slot.starts_at.astimezone(slot.clinic.zone)
        if slot.starts_at <= now and first <= local.date() <= last:
            _count_slot(found[slot.doctor_id, slot.clinic_id, local.date()], slot, local.hour)
    for visit in Appointment.objects.all():
        day = _day(visit.starts_at, visit.time_zone)
        if visit.starts_at <= now and first <= day <= last:
            _count_visit(found[visit.doctor_id, visit.clinic_id, day], visit, day)
    return {key: _row(counts) for key, counts in found.items()}


def _day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def _count_slot(counts: Counter, slot: Slot, hour: int) -> None:
    if slot.state != "blocked":
        counts.update(["offered", ("offered_by_hour", hour)])
    if slot.state == "booked":
        counts.update(["booked", ("booked_by_hour", hour)])


def _count_visit(counts: Counter, visit: Appointment, day: date) -> None:
    by = "patient" if visit.changed_by_kind in ("patient", "guest") else "practice"
    counts[
        {
            "confirmed": "unmarked",
            "arrived": "came",
            "completed": "came",
            "no_show": "no_show",
            "cancelled": f"cancelled_by_{by}",
            "rescheduled": "moved",
        }[visit.status]
    ] += 1
    if visit.replaces is None:
        lead = (day - _day(visit.created_at, visit.time_zone)).days
        counts["lead_days", min(lead, LEADS - 1)] += 1


def _row(counts: Counter) -> dict[str, object]:
    plain = ("offered", "booked", "unmarked", "came", "no_show", "cancelled_by_patient")
    arrays = {"offered_by_hour": 24, "booked_by_hour": 24, "lead_days": LEADS}
    return {
        **{name: counts[name] for name in (*plain, "cancelled_by_practice", "moved")},
        **{name: [counts[name, n] for n in range(length)] for name, length in arrays.items()},
    }
