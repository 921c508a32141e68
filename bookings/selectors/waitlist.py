"""Reading the waitlist: as the one who waits, and as the clinic that has a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.models import User
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry, WaitlistState
from bookings.rules import changeable_until
from bookings.selectors.holds import StatementTime
from bookings.states import AppointmentStatus
from docbook.errors import NotFound
from doctors.models import Slot, SlotState

LIVE = (WaitlistState.WAITING, WaitlistState.OFFERED)
# A local day begins and ends within these hours of the day in UTC.
FURTHEST_ZONE = timedelta(hours=14)
# Whoever let an offer run out is left in peace for so long, except for times that are released.
REST = timedelta(hours=24)
# That are looked at for one wish; a doctor with 60 free days has fewer.
MOST_SLOTS = 2000
BATCH = 200


@dataclass(frozen=True)
class Offer:
    """A hold that was made for somebody on the waitlist."""

    hold: Hold
    patient: User
    entry: WaitlistEntry


def entries_of_patient(patient: User) -> QuerySet[WaitlistEntry]:
    """With everything that the API shows, in two queries; `live_offers` has one at most."""
    offers = Hold.objects.filter(state=HoldState.HELD, expires_at__gt=StatementTime())
    return (
        WaitlistEntry.objects.filter(patient=patient)
        .select_related("doctor", "specialty")
        .prefetch_related(
            Prefetch(
                "offers",
                queryset=offers.select_related("clinic", "visit_type__doctor", "doctor"),
                to_attr="live_offers",
            )
        )
        .order_by("created_at", "id")
    )


def get_entry(*, entry_id: UUID, patient: User) -> WaitlistEntry:
    """Raises NotFound for anybody else's."""
    entry = entries_of_patient(patient).filter(pk=entry_id).first()
    if entry is None:
        raise NotFound
    return entry


def get_offer(offer_id: UUID) -> Offer:
    """With what a page shows of it. Whether the caller may see it is for the door to know. Raises
    NotFound, also for a hold that was made for nobody on the waitlist.
    """
    hold = (
        Hold.objects.filter(pk=offer_id)
        .select_related(
            "doctor__specialty", "clinic", "visit_type__doctor", "patient", "waitlist_entry"
        )
        .first()
    )
    if hold is None or hold.waitlist_entry is None or hold.patient is None:
        raise NotFound
    return Offer(hold, hold.patient, hold.waitlist_entry)


def waiting_for(slot: Slot) -> Iterator[WaitlistEntry]:
    """Who waits for this doctor, or for the specialty in the slot's city; first come, first.

    Their dates are near enough; what exactly they want, their wish says.
    """
    wanted = Q(doctor=slot.doctor_id) | Q(specialty=slot.doctor.specialty_id, city=slot.clinic.city)
    return _first_come_first(
        wanted,
        from_on__lte=(slot.starts_at + FURTHEST_ZONE).date(),
        until_on__gte=(slot.starts_at - FURTHEST_ZONE).date(),
    )


def waiting_beside_free_times(*, now: datetime) -> Iterator[WaitlistEntry]:
    """Who waits although the doctor has free times; and who waits for anybody of a specialty."""
    free = Slot.objects.filter(doctor=OuterRef("doctor"), starts_at__gt=now, state=SlotState.OPEN)
    unanswered = Hold.objects.filter(
        waitlist_entry=OuterRef("pk"), state=HoldState.EXPIRED, created_at__gt=now - REST
    )
    return _first_come_first(Q(specialty__isnull=False) | Q(Exists(free)), ~Q(Exists(unanswered)))


def free_slots_near(entry: WaitlistEntry, *, now: datetime) -> list[Slot]:
    """Free slots of the doctors whom the entry names, about the days it names; earliest first."""
    first, last = (_midnight(day) for day in (entry.from_on, entry.until_on))
    return list(
        Slot.objects.filter(
            _slots_of(entry),
            state=SlotState.OPEN,
            doctor__is_active=True,
            starts_at__gt=max(now, first - FURTHEST_ZONE),
            starts_at__lt=last + timedelta(days=1) + FURTHEST_ZONE,
        )
        .select_related("doctor__specialty", "clinic")
        .prefetch_related("doctor__visit_types")
        .order_by("starts_at", "id")[:MOST_SLOTS]
    )


def had_it_before(*, entry: WaitlistEntry, doctor_id: int, starts_at: datetime) -> bool:
    """Nobody is asked twice about one time, nor about one that they had booked and gave up."""
    theirs = Q(waitlist_entry=entry) | Q(patient=entry.patient_id, state=HoldState.CONFIRMED)
    return Hold.objects.filter(theirs, doctor=doctor_id, starts_at=starts_at).exists()


def visit_to_move(*, appointment_id: UUID, patient: User, now: datetime) -> Appointment | None:
    """The patient's visit that an offer would move, as long as the patient may move it."""
    hold = Hold.objects.filter(pk=appointment_id, patient=patient).first()
    if hold is None:
        return None
    visits = Appointment.objects.filter(pk=hold.pk, starts_at=hold.starts_at)
    confirmed = visits.filter(status=AppointmentStatus.CONFIRMED)
    visit = confirmed.select_related("doctor", "clinic").first()
    if visit is None:
        return None
    notice = visit.doctor.change_notice_minutes
    until = changeable_until(starts_at=visit.starts_at, notice_minutes=notice)
    return visit if now < until else None


def _first_come_first(*conditions: Q, **fields: date) -> Iterator[WaitlistEntry]:
    """A batch at a time: a line may be long, and each of it takes its time."""
    waiting = WaitlistEntry.objects.filter(
        *conditions, state=WaitlistState.WAITING, patient__is_active=True, **fields
    )
    waiting = waiting.select_related("patient", "visit_type__doctor")
    batch = list(waiting.order_by("created_at", "id")[:BATCH])
    while batch:
        yield from batch
        last = batch[-1]
        later = Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, id__gt=last.pk)
        batch = list(waiting.filter(later).order_by("created_at", "id")[:BATCH])


def _slots_of(entry: WaitlistEntry) -> Q:
    if entry.doctor_id is not None:
        return Q(doctor=entry.doctor_id)
    return Q(doctor__specialty=entry.specialty_id, clinic__city=entry.city)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
