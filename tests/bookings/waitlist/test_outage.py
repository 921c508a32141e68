"""Offers whose mail nobody could deliver: an outage must cost nobody their turn."""

from datetime import timedelta

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from bookings.models import Hold, HoldState, WaitlistEntry
from bookings.rules import again_at
from bookings.waitlist.services.look_over import offer_free_times
from devstack.ports import LOOPBACK, free_port
from docbook.outbox.models import OutboxDelivery, OutboxMessage
from doctors.models import Slot
from tests.bookings.waitlist.acts import (
    awaited,
    hear_of_offers,
    hear_of_releases,
    in_daylight,
    in_line,
    release,
    run_out,
    run_out_unsent,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail_is_down(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = LOOPBACK, free_port()


def live_offer() -> Hold:
    return Hold.objects.get(state=HoldState.HELD)


def run_out_in_the_outage(offer: Hold) -> None:
    """A worker tries in vain, the offer expires, and another try settles its message."""
    hear_of_offers()
    run_out_unsent(offer)
    hear_of_offers()


def burn_the_line(slot: Slot, line: list[WaitlistEntry]) -> None:
    release(slot)
    for _ in line:
        run_out_in_the_outage(live_offer())
        release(slot)


@pytest.mark.usefixtures("mail_is_down")
def test_offer_that_no_mail_told_of_is_made_again_to_the_first_after_the_whole_line() -> None:
    visit_type, (slot,) = awaited()
    line = in_line(visit_type, count=2)
    burn_the_line(slot, line)
    assert not OutboxDelivery.objects.filter(delivered_at__isnull=False).exists()
    assert live_offer().waitlist_entry == line[0]
    offers = Hold.objects.order_by("created_at").values_list("waitlist_entry", flat=True)
    assert list(offers) == [line[0].pk, line[1].pk, line[0].pk]


@pytest.mark.usefixtures("mail_is_down")
def test_look_over_comes_back_to_people_that_no_mail_has_reached() -> None:
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    release(slot)
    run_out_in_the_outage(live_offer())
    (offer,) = offer_free_times(now=in_daylight())
    assert offer.waitlist_entry == entry


def test_offer_that_was_mailed_and_ran_out_is_made_no_second_time() -> None:
    visit_type, (slot,) = awaited()
    in_line(visit_type, count=1)
    release(slot)
    run_out(live_offer())
    assert release(slot) == []
    assert offer_free_times(now=in_daylight()) == []
    assert offer_free_times(now=in_daylight(days=1)) == []


def test_offer_whose_message_is_forgotten_counts_as_mailed() -> None:
    visit_type, (slot,) = awaited()
    in_line(visit_type, count=1)
    release(slot)
    run_out_unsent(live_offer())
    OutboxMessage.objects.all().delete()
    assert release(slot) == []


@pytest.mark.usefixtures("mail_is_down")
def test_address_that_takes_no_mail_keeps_a_time_less_and_less() -> None:
    visit_type, (slot,) = awaited()
    in_line(visit_type, count=1)
    for _ in range(2):
        release(slot, now=timezone.now())
        run_out_in_the_outage(live_offer())
    assert release(slot, now=timezone.now()) == []
    assert len(release(slot, now=timezone.now() + timedelta(minutes=15))) == 1


def test_pauses_grow_and_the_first_is_none() -> None:
    end, term = timezone.now(), timedelta(minutes=15)
    pauses = [again_at(ended=[end] * times, term=term) - end for times in (1, 2, 3, 4, 400)]
    assert pauses[:4] == [timedelta(minutes=minutes) for minutes in (0, 15, 45, 105)]
    assert pauses[4] < timedelta(days=11)


@pytest.mark.usefixtures("mail_is_down")
def test_log_says_that_an_offer_ended_unsent() -> None:
    visit_type, (slot,) = awaited()
    in_line(visit_type, count=1)
    release(slot)
    with capture_logs() as logs:
        run_out_in_the_outage(live_offer())
    (entry,) = (each for each in logs if each["event"] == "offer_ended_unsent")
    assert set(entry) == {"event", "log_level", "hold_id"}
    assert hear_of_releases() == 1
