"""Reads decisions about visits, and times that are offered instead."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from bookings.appointments.selectors.appointments import (
    Contact,
    Link,
    appointment_of_hold,
    busy_periods,
    links_to,
    times_to_move_to,
    visits_with_contacts,
)
from bookings.engine.selectors import IS_OVER
from bookings.models import (
    Appointment,
    Hold,
    HoldState,
    ItemState,
    RearrangedVisit,
    Rearrangement,
)
from docbook.errors import NotFound, NotYours
from doctors.models import Doctor
from doctors.recurrence import ONE_DAY, Period
from doctors.rules import VisitTime
from doctors.selectors.hours import hours_of

# How far from the visit other times are looked for.
NEAR = timedelta(days=28)


def get_rearrangement(doctors: Sequence[Doctor], *, rearrangement_id: int) -> Rearrangement:
    """One about these doctors' visits. Raises NotFound for those of others."""
    found = Rearrangement.objects.select_related("doctor", "colleague", "decided_by")
    decision = found.filter(pk=rearrangement_id).first()
    if decision is None:
        raise NotFound
    if decision.doctor not in doctors:
        raise NotYours("rearrangement", rearrangement_id)
    return decision


@dataclass(frozen=True)
class Steps:
    """How far a decision is: `worked_on` are visits that no longer wait."""

    total: int
    worked_on: int

    @property
    def is_over(self) -> bool:
        return self.worked_on == self.total


def steps_of(decision: Rearrangement) -> Steps:
    """One query."""
    no_longer = Count("pk", filter=~Q(state=ItemState.WAITING))
    return Steps(**decision.items.aggregate(total=Count("pk"), worked_on=no_longer))


@dataclass(frozen=True)
class ItemOfDecision:
    """`new` is the visit that replaced this one."""

    item: RearrangedVisit
    visit: Appointment
    contact: Contact
    new: Link | None


def items_of(decision: Rearrangement) -> list[ItemOfDecision]:
    """In order of time. Five queries, however many there are."""
    items = list(decision.items.all())
    visits = visits_with_contacts(item.visit_id for item in items)
    new = links_to(visit.replaced_by for visit, _contact in visits.values())
    found = []
    for item in items:
        visit, contact = visits[item.visit_id]
        follower = new.get(visit.replaced_by) if visit.replaced_by else None
        found.append(ItemOfDecision(item, visit, contact, follower))
    return sorted(found, key=lambda each: (each.visit.starts_at, each.item.pk))


def other_times(visit: Appointment, *, now: datetime) -> Iterator[VisitTime]:
    """Free times for what was agreed, within the doctor's present hours, that neither overlap each
    other nor another visit of the patient: at the same clinic first, the nearest first.
    """
    start = max(now, visit.starts_at - NEAR)
    free = times_to_move_to(visit, start=start, end=visit.starts_at + NEAR, now=now)
    # This one included: its own time is no other time.
    busy = busy_periods(visit.patient_id, since=start)
    free = [each for each in _in_hours(visit, free, now=now) if not _overlaps(each, busy)]
    chosen: list[Period] = []
    for time in sorted(free, key=lambda each: _distance(each, visit=visit)):
        if not _overlaps(time, chosen):
            chosen.append(Period(time.starts_at, time.ends_at))
            yield time


def get_offer(item_id: int) -> RearrangedVisit:
    """Raises NotFound unless other times were offered."""
    offers = RearrangedVisit.objects.filter(offered_until__isnull=False)
    offer = offers.select_related("rearrangement", "visit__doctor").filter(pk=item_id).first()
    if offer is None:
        raise NotFound
    return offer


@dataclass(frozen=True)
class OfferedTimes:
    """What a mail says of an offer: `times` are those that are still held for the patient."""

    item: RearrangedVisit
    times: list[Hold]


def offered_times(item_ids: Iterable[int]) -> dict[int, OfferedTimes]:
    """By item. Two queries, however many there are."""
    asked = RearrangedVisit.objects.filter(pk__in=list(item_ids), offered_until__isnull=False)
    items = list(asked.select_related("rearrangement"))
    held: dict[UUID | None, list[Hold]] = {}
    for hold in _live_holds(each.offer_key for each in items):
        held.setdefault(hold.guest_key, []).append(hold)
    return {each.pk: OfferedTimes(each, held.get(each.offer_key, [])) for each in items}


def _live_holds(offer_keys: Iterable[UUID]) -> QuerySet[Hold]:
    live = Hold.objects.filter(~IS_OVER, guest_key__in=list(offer_keys), state=HoldState.HELD)
    return live.select_related("doctor", "clinic").order_by("starts_at")


def patient_of(item: RearrangedVisit) -> User:
    return User.objects.get(holds=item.visit_id)


@dataclass(frozen=True)
class Offer:
    """`times` are still held for the patient. `new` is the visit that replaced this one."""

    visit: Appointment
    why: str
    times: list[Hold]
    new: Link | None


def offer_of(item: RearrangedVisit) -> Offer:
    visit = appointment_of_hold(item.visit)
    times = _live_holds([item.offer_key])
    new = links_to([visit.replaced_by]).get(visit.replaced_by or UUID(int=0))
    return Offer(visit, item.rearrangement.reason, list(times), new)


def _in_hours(visit: Appointment, times: Sequence[VisitTime], *, now: datetime) -> list[VisitTime]:
    """Without slots that the change of hours is about to remove."""
    hours = hours_of([visit.doctor], since=now.date() - ONE_DAY)[visit.doctor_id]
    found = []
    for clinic_id in {each.place.id for each in times}:
        here = [each for each in times if each.place.id == clinic_id]
        periods = [Period(each.starts_at, each.ends_at) for each in here]
        works = hours.works_during(clinic_id, periods)
        found += [each for each, is_work in zip(here, works, strict=True) if is_work]
    return found


def _overlaps(time: VisitTime, periods: Sequence[Period]) -> bool:
    return any(time.starts_at < each.ends_at and each.starts_at < time.ends_at for each in periods)


def _distance(time: VisitTime, *, visit: Appointment) -> tuple[bool, timedelta, datetime]:
    is_elsewhere = time.place.id != visit.clinic_id
    return is_elsewhere, abs(time.starts_at - visit.starts_at), time.starts_at
