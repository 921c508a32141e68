"""What is kept of waiting, and how long."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.models import Hold, WaitlistEntry
from bookings.upkeep.retention import purge_ended_holds, purge_ended_waits
from bookings.waitlist.services.entries import leave_waitlist
from bookings.waitlist.services.offers import accept_offer, decline_offer
from tests.bookings.waitlist.acts import awaited, in_line, release

pytestmark = pytest.mark.django_db

LATER = timedelta(days=8)
MUCH_LATER = timedelta(days=70)


def test_declined_offer_is_remembered_as_long_as_its_patient_waits() -> None:
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    (offer,) = release(slot)
    decline_offer(offer_id=offer.pk, patient=entry.patient)
    assert purge_ended_holds(now=timezone.now() + LATER) == 0
    assert release(slot) == []
    in_line(visit_type, count=1)  # somebody else waits on
    leave_waitlist(entry_id=entry.pk, patient=entry.patient)
    assert purge_ended_holds(now=timezone.now() + LATER) == 1


def test_wait_that_is_over_is_forgotten_a_month_after_its_last_day() -> None:
    visit_type, (slot,) = awaited()
    gone, waiting, served, unserved = in_line(visit_type, count=4)
    leave_waitlist(entry_id=gone.pk, patient=gone.patient)
    (offer,) = release(slot)
    decline_offer(offer_id=offer.pk, patient=waiting.patient)
    (offer,) = release(slot)
    accept_offer(offer_id=offer.pk, patient=served.patient)
    assert purge_ended_waits(now=timezone.now() + timedelta(days=59)) == 0
    assert purge_ended_waits(now=timezone.now() + MUCH_LATER) == 1
    assert set(WaitlistEntry.objects.all()) == {waiting, served, unserved}
    assert Hold.objects.filter(waitlist_entry=served).exists()


def test_wait_that_is_over_is_not_forgotten_before_what_it_was_offered() -> None:
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    (offer,) = release(slot)
    decline_offer(offer_id=offer.pk, patient=entry.patient)
    leave_waitlist(entry_id=entry.pk, patient=entry.patient)
    later = timezone.now() + MUCH_LATER
    assert purge_ended_waits(now=later) == 0
    assert purge_ended_holds(now=later) == 1
    assert purge_ended_waits(now=later) == 1
