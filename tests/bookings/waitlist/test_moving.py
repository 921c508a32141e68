"""An accepted offer moves the visit it was made for: both or none."""

from datetime import time, timedelta

import pytest
from django.utils import timezone

from bookings.actors.holder import Holder
from bookings.appointments.services.changes import cancel_appointment
from bookings.errors import NotChangeable
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry
from bookings.waitlist.services.entries import WaitlistRequest, join_waitlist
from bookings.waitlist.services.offers import accept_offer, decline_offer
from docbook.errors import FieldError
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot, VisitType
from tests.bookings.agreements import booked
from tests.bookings.waitlist.acts import awaited, hear_of_releases, in_daylight, in_line, release
from tests.factories import make_appointment, make_patient, make_slots, tomorrow_at

pytestmark = pytest.mark.django_db


def offered_earlier() -> tuple[Hold, Appointment]:
    """An offer of the day after tomorrow for a visit of a week later."""
    visit_type, (slot,) = awaited()
    patient = make_patient()
    later = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=9))
    visit = make_appointment(slots=later, patient=patient, visit_type=visit_type)
    in_line(visit_type, count=1, replaces=visit.pk)
    WaitlistEntry.objects.update(patient=patient)
    (offer,) = release(slot)
    return offer, visit


def test_accepted_offer_takes_the_place_of_the_visit() -> None:
    offer, visit = offered_earlier()
    moved = accept_offer(offer_id=offer.pk, patient=offer.patient)
    visit.refresh_from_db()
    assert (moved.status, moved.replaces, moved.starts_at) == (
        "confirmed",
        visit.pk,
        offer.starts_at,
    )
    assert (visit.status, visit.replaced_by) == ("rescheduled", moved.pk)
    assert OutboxMessage.objects.filter(topic="appointment.moved").count() == 1
    assert not OutboxMessage.objects.filter(topic="appointment.confirmed").exists()
    assert WaitlistEntry.objects.get().state == "fulfilled"


def test_time_of_the_moved_visit_goes_to_the_line() -> None:
    offer, visit = offered_earlier()
    (next_one,) = in_line(offer.visit_type, count=1)
    accept_offer(offer_id=offer.pk, patient=offer.patient)
    assert hear_of_releases() == 1
    following = Hold.objects.get(state=HoldState.HELD)
    assert (following.waitlist_entry, following.starts_at) == (next_one, visit.starts_at)


def test_declined_offer_leaves_the_visit_alone() -> None:
    offer, visit = offered_earlier()
    decline_offer(offer_id=offer.pk, patient=offer.patient)
    visit.refresh_from_db()
    assert (visit.status, visit.replaced_by) == ("confirmed", None)


def test_visit_that_was_cancelled_meanwhile_is_not_brought_back() -> None:
    offer, visit = offered_earlier()
    cancel_appointment(
        appointment_id=visit.pk,
        by=Holder(patient=offer.patient),
        version=visit.version,
        now=in_daylight(),
    )
    with pytest.raises(NotChangeable):
        accept_offer(offer_id=offer.pk, patient=offer.patient)
    visit.refresh_from_db()
    assert visit.status == "cancelled"
    assert Appointment.objects.count() == 1
    assert Slot.objects.get(pk=offer.slot_ids[0]).hold_id == offer.pk


@pytest.mark.parametrize(("agreed", "takes_now", "is_long_enough"), [(3, 1, False), (1, 3, True)])
def test_wait_for_an_earlier_time_needs_room_for_what_was_agreed(
    agreed: int, takes_now: int, is_long_enough: bool
) -> None:
    made = booked(slots=agreed)
    VisitType.objects.filter(pk=made.visit.visit_type_id).update(slots=takes_now)
    day = made.visit.starts_at.date() - timedelta(days=1)
    wanted = WaitlistRequest(
        doctor_id=made.visit.doctor_id,
        visit_type_id=made.visit.visit_type_id,
        from_on=day,
        until_on=day,
        day_from=time(9),
        day_until=time(9, 30),
        replaces=made.visit.pk,
    )
    if is_long_enough:
        assert join_waitlist(patient=made.patient, wanted=wanted, now=timezone.now())[1]
    else:
        with pytest.raises(FieldError):
            join_waitlist(patient=made.patient, wanted=wanted, now=timezone.now())


def test_earlier_time_that_is_offered_has_the_agreed_length_and_price() -> None:
    made = booked(at=3)
    join_waitlist(
        patient=made.patient,
        wanted=WaitlistRequest(
            doctor_id=made.visit.doctor_id,
            visit_type_id=made.visit.visit_type_id,
            from_on=timezone.now().date(),
            until_on=made.visit.starts_at.date(),
            replaces=made.visit.pk,
        ),
        now=timezone.now(),
    )
    VisitType.objects.filter(pk=made.visit.visit_type_id).update(slots=8, price_cents=1)
    (offer,) = release(made.slots[0])
    assert (offer.slot_ids, offer.price_cents) == ([made.slots[0].pk], 4500)
    assert offer.duration == made.visit.duration
