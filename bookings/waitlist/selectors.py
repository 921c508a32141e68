"""Reads the waitlist: for a patient who waits, and for a clinic with a free time."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import (
    CharField,
    Exists,
    Max,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Concat
from django.db.models.lookups import Exact

from accounts.models import User
from bookings.appointments.selectors.appointments import visit_type_as_agreed
from bookings.engine.selectors import JUDGED, StatementTime
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry, WaitlistState
from bookings.rules import again_at
from bookings.states import AppointmentStatus
from bookings.waitlist.rules import Wish
from docbook.errors import NotFound, NotYours
from docbook.outbox.selectors import told_in_vain
from doctors.models import Clinic, Doctor, Slot, VisitType
from doctors.rules import VisitTime
from doctors.selectors.slots import free_now, free_times_of_doctors
from doctors.selectors.visit_types import first_visit_type

LIVE = (WaitlistState.WAITING, WaitlistState.OFFERED)
# A local day begins and ends within these hours of the UTC day.
FURTHEST_ZONE = timedelta(hours=14)
# A patient who let an offer expire gets no other for this long, except for released times.
REST = timedelta(hours=24)
WEEK = timedelta(days=7)
BATCH = 200

# The name of the message about a hold made for somebody who waits; see `told_in_vain`.
OFFER_NAME = Concat(Value("offer-"), Cast(OuterRef("pk"), CharField()))

# A time, and what it is for.
Bookable = tuple[VisitTime, VisitType]
# In the line: when an entry joined, and its id.
Place = tuple[datetime, UUID]


@dataclass(frozen=True)
class Offer:
    """A hold that was made for somebody on the waitlist."""

    hold: Hold
    patient: User
    entry: WaitlistEntry


def entries_of_patient(patient: User, **fields: Any) -> QuerySet[WaitlistEntry]:
    """Those that have these values, with everything that the API shows, in two queries.
    `live_offers` has one at most; `zone` is the clock of the clinic, or of one in the city.
    """
    in_the_city = Clinic.objects.filter(city=OuterRef("city")).order_by("id")
    of_the_city = Subquery(in_the_city.values("time_zone")[:1])
    # The last clinic of a city may have moved away while somebody waits.
    zone = Coalesce("doctor__clinic__time_zone", of_the_city, Value("UTC"))
    offers = Hold.objects.filter(state=HoldState.HELD, expires_at__gt=StatementTime())
    return (
        WaitlistEntry.objects.filter(patient=patient, **fields)
        .select_related("doctor", "specialty")
        .annotate(zone=zone)
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
        is_known = WaitlistEntry.objects.filter(pk=entry_id).exists()
        raise NotYours("waitlist", entry_id) if is_known else NotFound
    return entry


def get_offer(offer_id: UUID) -> Offer:
    """With everything its page shows. The door must check that the caller may see it. Raises
    NotFound, also for a hold that was made for nobody on the waitlist.
    """
    hold = (
        Hold.objects.filter(pk=offer_id)
        .select_related(
            "doctor__specialty", "clinic", "visit_type__doctor", "patient", "waitlist_entry"
        )
        .annotate(**JUDGED)
        .first()
    )
    if hold is None or hold.waitlist_entry is None or hold.patient is None:
        raise NotFound
    return Offer(hold, hold.patient, hold.waitlist_entry)


def waiting_for(slot: Slot) -> Iterator[WaitlistEntry]:
    """Entries for this doctor, or for the specialty in the slot's city, in order of joining.
    Entries that no mail about this time has reached come last.

    Their dates are only roughly checked; the entry's wish decides.
    """
    unsent = Q(Exists(_unsent_offers(slot)))
    wanted = Q(doctor=slot.doctor_id) | Q(specialty=slot.doctor.specialty_id, city=slot.clinic.city)
    waiting = _waiting(
        wanted,
        from_on__lte=(slot.starts_at + FURTHEST_ZONE).date(),
        until_on__gte=(slot.starts_at - FURTHEST_ZONE).date(),
    )
    return chain(_in_batches(waiting.filter(~unsent)), _in_batches(waiting.filter(unsent)))


def waiting_beside_free_times(
    *, now: datetime, behind: Place | None = None
) -> Iterator[WaitlistEntry]:
    """Entries whose doctor has free times, and entries for anybody of a specialty, in order of
    joining; all of them, or those `behind` a place in the line.
    """
    free = Slot.objects.filter(free_now(now), doctor=OuterRef("doctor"), starts_at__gt=now)
    unanswered = Hold.objects.filter(
        ~Q(told_in_vain(OFFER_NAME)),
        waitlist_entry=OuterRef("pk"),
        state=HoldState.EXPIRED,
        created_at__gt=now - REST,
    )
    waiting = _waiting(Q(specialty__isnull=False) | Q(Exists(free)), ~Q(Exists(unanswered)))
    return _in_batches(waiting, behind=behind)


def entries_of_who_has_booked() -> QuerySet[WaitlistEntry]:
    """Entries whose patient has since booked what they wait for."""
    waiting = WaitlistEntry.objects.filter(_has_booked(), state=WaitlistState.WAITING)
    return waiting.order_by("created_at", "id")


def free_times_near(entry: WaitlistEntry, *, now: datetime) -> Iterator[Bookable]:
    """Free times of the entry's doctors near its days, earliest first.

    These are whole visits, so nobody has to try what cannot fit. The times of one doctor are read
    in one query, those of a specialty one week at a time: usually the first fitting one is near.
    Nothing is read if the entry wants none of the starts, such as a Sunday's.
    """
    open_slots = _open_slots_near(entry, now=now)
    wish = wish_of(entry)
    starts = open_slots.values_list("starts_at", "clinic__time_zone").order_by().distinct()
    wanted = [start for start, zone in starts if wish.wants_start(start, zone=ZoneInfo(zone))]
    if not wanted:
        return
    open_slots = open_slots.filter(starts_at__range=(min(wanted), max(wanted)))
    spans = open_slots.values("doctor").annotate(first=Min("starts_at"), last=Max("starts_at"))
    by_doctor = {row["doctor"]: (row["first"], row["last"]) for row in spans.order_by()}
    visit_types = _visit_types_for(entry, doctor_ids=by_doctor)
    if not visit_types:
        return
    clinic_ids = _clinics_of(entry)
    start = min(first for first, _last in by_doctor.values())
    end = max(last for _first, last in by_doctor.values()) + timedelta.resolution
    step = (end - start) if entry.doctor_id else WEEK
    while start < end:
        until = min(start + step, end)
        for bookable in free_times_of_doctors(
            visit_types=visit_types, start=start, end=until, now=now
        ):
            if clinic_ids is None or bookable[0].slots[0].clinic_id in clinic_ids:
                yield bookable
        start = until


def wish_of(entry: WaitlistEntry, *, earlier_than: datetime | None = None) -> Wish:
    return Wish(
        from_on=entry.from_on,
        until_on=entry.until_on,
        weekdays=frozenset(entry.weekdays),
        day_from=entry.day_from,
        day_until=entry.day_until,
        mode=entry.mode,
        earlier_than=earlier_than,
    )


@dataclass(frozen=True)
class Past:
    """Times as (doctor, start) that somebody was asked about. Also times about which no mail has
    reached them, with the ends of those offers.
    """

    had: frozenset[tuple[int, datetime]]
    unsent: dict[tuple[int, datetime], list[datetime]]

    def allows(self, time: VisitTime, *, now: datetime, term: timedelta) -> bool:
        """Nobody is asked twice about one time, nor about one that they had booked and gave up."""
        about = (time.doctor_id, time.starts_at)
        ended = self.unsent.get(about)
        return about not in self.had and (not ended or again_at(ended=ended, term=term) <= now)


def past_of(entry: WaitlistEntry, *, now: datetime) -> Past:
    """One query."""
    theirs = Q(waitlist_entry=entry) | Q(patient=entry.patient_id, state=HoldState.CONFIRMED)
    holds = Hold.objects.filter(theirs, starts_at__gt=now).annotate(
        is_unsent=told_in_vain(OFFER_NAME)
    )
    had: set[tuple[int, datetime]] = set()
    unsent: dict[tuple[int, datetime], list[datetime]] = {}
    for hold in holds.only("doctor", "starts_at", "state", "expires_at"):
        about = (hold.doctor_id, hold.starts_at)
        # A patient who has answered knew of it.
        if hold.is_unsent and hold.state == HoldState.EXPIRED:
            unsent.setdefault(about, []).append(hold.expires_at)
        else:
            had.add(about)
    return Past(frozenset(had), unsent)


def visit_to_move(*, appointment_id: UUID, patient: User, now: datetime) -> Appointment | None:
    """The patient's visit that an offer would move, while the patient may move it."""
    hold = Hold.objects.filter(pk=appointment_id, patient=patient).first()
    if hold is None:
        return None
    visits = Appointment.objects.filter(pk=hold.pk, starts_at=hold.starts_at)
    confirmed = visits.filter(status=AppointmentStatus.CONFIRMED)
    visit = confirmed.select_related("doctor", "clinic").first()
    return visit if visit and now < visit.changeable_until else None


def _waiting(*conditions: Q, **fields: date) -> QuerySet[WaitlistEntry]:
    waiting = WaitlistEntry.objects.filter(
        *conditions,
        ~_has_booked(),
        state=WaitlistState.WAITING,
        patient__is_active=True,
        **fields,
    )
    return waiting.select_related("patient", "visit_type__doctor").order_by("created_at", "id")


def _has_booked() -> Q:
    """An upcoming visit booked since they joined: with the doctor for that visit type, or with
    anybody of the specialty in that city. A patient who already had one waits for another, and a
    visit that was only moved is not new.
    """
    visits = Appointment.objects.filter(
        patient=OuterRef("patient"),
        status=AppointmentStatus.CONFIRMED,
        starts_at__gt=StatementTime(),
        created_at__gt=OuterRef("created_at"),
        replaces=None,
    )
    with_the_doctor = visits.filter(doctor=OuterRef("doctor"), visit_type=OuterRef("visit_type"))
    of_the_specialty = visits.filter(
        Q(mode=OuterRef("mode")) | Q(Exact(OuterRef("mode"), Value(""))),
        doctor__specialty=OuterRef("specialty"),
        clinic__city=OuterRef("city"),
    )
    return Q(Q(Exists(with_the_doctor)) | Q(Exists(of_the_specialty)), replaces=None)


def _in_batches(
    waiting: QuerySet[WaitlistEntry], *, behind: Place | None = None
) -> Iterator[WaitlistEntry]:
    """The line may be long, and each entry takes time."""
    while batch := list((_behind(waiting, behind) if behind else waiting)[:BATCH]):
        yield from batch
        behind = batch[-1].created_at, batch[-1].pk


def _behind(waiting: QuerySet[WaitlistEntry], place: Place) -> QuerySet[WaitlistEntry]:
    joined_at, entry_id = place
    return waiting.filter(Q(created_at__gt=joined_at) | Q(created_at=joined_at, id__gt=entry_id))


def _unsent_offers(slot: Slot) -> QuerySet[Hold]:
    return Hold.objects.filter(
        Q(told_in_vain(OFFER_NAME)),
        waitlist_entry=OuterRef("pk"),
        state=HoldState.EXPIRED,
        doctor=slot.doctor_id,
        starts_at__lt=slot.ends_at,
        ends_at__gt=slot.starts_at,
    )


def _open_slots_near(entry: WaitlistEntry, *, now: datetime) -> QuerySet[Slot]:
    first, last = (_midnight(day) for day in (entry.from_on, entry.until_on))
    whose = Q(doctor=entry.doctor_id)
    if entry.doctor_id is None:
        whose = Q(doctor__specialty=entry.specialty_id, clinic__city=entry.city)
    return Slot.objects.filter(
        whose,
        free_now(now),
        doctor__is_active=True,
        starts_at__gt=max(now, first - FURTHEST_ZONE),
        starts_at__lt=last + timedelta(days=1) + FURTHEST_ZONE,
    )


def _visit_types_for(entry: WaitlistEntry, *, doctor_ids: Collection[int]) -> list[VisitType]:
    """The visit type for each of these doctors; none for a doctor who has nothing to offer."""
    if entry.visit_type is not None:
        bookable = entry.visit_type.is_active and entry.visit_type.doctor_id in doctor_ids
        return [visit_type_for(entry, entry.visit_type)] if bookable else []
    doctors = Doctor.objects.filter(pk__in=doctor_ids).prefetch_related("visit_types")
    visit_types = (first_visit_type(doctor, mode=entry.mode) for doctor in doctors)
    return [visit_type_for(entry, each) for each in visit_types if each is not None]


def visit_type_for(entry: WaitlistEntry, visit_type: VisitType) -> VisitType:
    """The visit type as agreed, if the entry would move such a visit."""
    if entry.replaces is None:
        return visit_type
    moves = Hold.objects.filter(pk=entry.replaces, visit_type=visit_type)
    visit = moves.select_related("doctor", "visit_type__doctor").first()
    return visit_type_as_agreed(visit) if visit else visit_type


def _clinics_of(entry: WaitlistEntry) -> set[int] | None:
    """Where the entry wants to go; None for wherever its doctor is."""
    if entry.doctor_id is not None:
        return None
    return set(Clinic.objects.filter(city=entry.city).values_list("pk", flat=True))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
