"""Offers a time that is free again to the people who wait for it, one after the other."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.actors.holder import Holder
from bookings.engine.selectors import has_live_hold
from bookings.engine.services import lock_hold, release_hold
from bookings.errors import AppointmentLimit, BookingDisabled, NumberNeeded
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import OfferTerms, hold_slot
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry, WaitlistState
from bookings.waitlist.rules import QuietHours, Wish
from bookings.waitlist.selectors import (
    Bookable,
    Past,
    get_offer,
    past_of,
    visit_to_move,
    visit_type_for,
    waiting_for,
    wish_of,
)
from bookings.waitlist.services.entries import end_wait, lock_waitlist_of
from docbook.audit import services as audit
from docbook.errors import DomainError, NotYours
from docbook.outbox.services import publish
from doctors.models import Slot, SlotState, VisitType
from doctors.rules import VisitTime
from doctors.selectors.slots import times_of_doctor
from doctors.selectors.visit_types import first_visit_type
from doctors.services import claims

# How many times we try to hold for one entry in one look: a free time may be gone in a moment.
TRIES = 20


def offer_term() -> timedelta:
    return timedelta(seconds=settings.OFFER_SECONDS)


def offer_released(*, slot_ids: list[int], now: datetime) -> list[Hold]:
    """Offers each free slot among these to the first entry that wants it and can have it.

    Does nothing the second time: offered slots are held. Returns the offers.
    """
    slots = Slot.objects.filter(pk__in=slot_ids, state=SlotState.OPEN, doctor__is_active=True)
    slots = slots.select_related("doctor__specialty", "clinic").order_by("starts_at", "id")
    slots = slots.prefetch_related("doctor__visit_types")
    offers = (_offer_to_the_first(slot, now=now) for slot in slots)
    return [offer for offer in offers if offer is not None]


def accept_offer(*, offer_id: UUID, patient: User, phone: str = "") -> Appointment:
    """Books the offered time without a code: the caller used the link sent to the patient's
    address, or is signed in. With `replaces`, it moves that visit. A repeat returns the same
    appointment. Raises NotFound, NumberNeeded and what confirm_booking raises.
    """
    offer = _offered_to(patient, offer_id=offer_id)
    if offer.state == HoldState.HELD and offer.needs_number and not offer.is_over:
        if not phone:
            raise NumberNeeded
        _note_number(offer, phone=phone)
    holder = Holder(patient=patient)
    return confirm_booking(hold_id=offer.pk, holder=holder, code=None, guessers=())  # no guess


def decline_offer(*, offer_id: UUID, patient: User) -> Hold:
    """Gives the time back. The next in line gets it, and this patient is never offered it again.

    Raises NotFound, or HoldExpired for one that became an appointment.
    """
    offer = _offered_to(patient, offer_id=offer_id)
    return release_hold(hold_id=offer.pk, holder=Holder(patient=patient))


def _note_number(offer: Hold, *, phone: str) -> None:
    """Locks the slots before the hold, as everybody does: the API has opened a transaction, which
    keeps these locks until the visit is booked.
    """
    with transaction.atomic():
        lock_hold(offer)
        if offer.state == HoldState.HELD:
            offer.phone = phone
            offer.save(update_fields=["phone"])


def _offered_to(patient: User, *, offer_id: UUID) -> Hold:
    offer = get_offer(offer_id)
    if offer.patient != patient:
        raise NotYours("hold", offer_id)
    return offer.hold


def _offer_to_the_first(slot: Slot, *, now: datetime) -> Hold | None:
    """Reads the free times once for each visit type. What a move agreed is read for itself."""
    if not may_offer(starts_at=slot.starts_at, zone=slot.clinic.zone, now=now):
        return None
    known: dict[int, list[Bookable]] = {}
    for entry in waiting_for(slot):
        visit_type = entry.visit_type or first_visit_type(slot.doctor, mode=entry.mode)
        if visit_type is None:
            continue
        if entry.replaces is not None:
            agreed = visit_type_for(entry, visit_type)
            times = _free_times_with(slot, visit_type=agreed, now=now)
        else:
            if visit_type.pk not in known:
                known[visit_type.pk] = _free_times_with(slot, visit_type=visit_type, now=now)
            times = known[visit_type.pk]
        if offer := offer_the_first(entry, among=times, now=now):
            return offer
    return None


def _free_times_with(slot: Slot, *, visit_type: VisitType, now: datetime) -> list[Bookable]:
    """The free times that contain this slot."""
    free, _on_hold = times_of_doctor(
        doctor=visit_type.doctor,
        visit_type=visit_type,
        start=slot.ends_at - visit_type.duration,
        end=slot.ends_at,
        now=now,
    )
    return [(time, visit_type) for time in free if slot.pk in {each.id for each in time.slots}]


def may_offer(*, starts_at: datetime, zone: ZoneInfo, now: datetime) -> bool:
    quiet = QuietHours(*settings.WAITLIST_QUIET_HOURS)
    return quiet.allow_offer(starts_at=starts_at, now=now, zone=zone)


def offer_the_first(
    entry: WaitlistEntry, *, among: Iterable[Bookable], now: datetime
) -> Hold | None:
    """The first of these times that the entry wants, has not been offered before, and can have.

    Only times that would really be offered count as tries.
    """
    wish = _wish_of(entry, now=now)
    if wish is None:
        return None
    tries = islice(_suitable(entry, wish=wish, times=among, now=now), TRIES)
    offers = (_hold_for(entry, time=time, visit_type=visit_type) for time, visit_type in tries)
    try:
        return next((offer for offer in offers if offer is not None), None)
    except (AppointmentLimit, BookingDisabled):  # no other time would work either
        return None


def _suitable(
    entry: WaitlistEntry, *, wish: Wish, times: Iterable[Bookable], now: datetime
) -> Iterator[Bookable]:
    """Times that the entry wants and was not offered before. Earlier offers are read once, and only
    if there is a time that the entry wants.
    """
    past: Past | None = None
    for time, visit_type in times:
        start, end, zone = time.starts_at, time.ends_at, time.zone
        if not wish.wants(starts_at=start, ends_at=end, zone=zone, mode=visit_type.mode):
            continue
        past = past_of(entry, now=now) if past is None else past
        if past.allows(time, now=now, term=offer_term()):
            yield time, visit_type


def _wish_of(entry: WaitlistEntry, *, now: datetime) -> Wish | None:
    """None if the visit that the entry would move is gone; then there is nothing to wait for."""
    earlier_than = None
    if entry.replaces is not None:
        visit = visit_to_move(appointment_id=entry.replaces, patient=entry.patient, now=now)
        if visit is None:
            end_wait(entry, because="visit-changed")
            return None
        earlier_than = visit.starts_at
    return wish_of(entry, earlier_than=earlier_than)


def _hold_for(entry: WaitlistEntry, *, time: VisitTime, visit_type: VisitType) -> Hold | None:
    """A real hold with everything known about the patient, so one tap accepts it. None if somebody
    else was faster, or the patient now has a visit or another held time at that hour: an offer to
    another of their entries, or a time they are booking. Raises AppointmentLimit or
    BookingDisabled.
    """
    with transaction.atomic():
        lock_waitlist_of(entry.patient)
        if not WaitlistEntry.objects.filter(pk=entry.pk, state=WaitlistState.WAITING).exists():
            return None
        # A claim gives up at once if somebody has locked the row, even somebody who only learns
        # that they came too late. An offer waits for them: nobody would come back for the time.
        claims.lock_slots(slot_ids=[slot.id for slot in time.slots])
        if has_live_hold(entry.patient, start=time.starts_at, end=time.ends_at):
            return None
        try:
            hold = hold_slot(
                slot_id=time.slot_id,
                visit_type_id=visit_type.pk,
                holder=Holder(patient=entry.patient),
                replaces=entry.replaces,
                offer=OfferTerms(entry.pk, offer_term()),
                now=timezone.now(),
            )
        except (AppointmentLimit, BookingDisabled):
            raise
        except DomainError:
            return None
        hold.refresh_from_db()  # with the patient's details, which the database has filled in
        audit.record(
            action="waitlist.offered",
            by=audit.SYSTEM,
            on=("hold", hold.pk),
            after={"state": hold.state, "slots": hold.slot_ids, "entry": str(entry.pk)},
        )
        publish("waitlist.offered", about=hold.pk, once=f"offer-{hold.pk}", hold_id=hold.pk)
    return hold
