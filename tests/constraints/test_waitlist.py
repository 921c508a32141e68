"""Waiting for a time, and the switch that stops booking."""

from datetime import date, time

from uuid_utils.compat import uuid7

from bookings.models import BookingPause
from tests.constraints.registry import breaks
from tests.factories import (
    make_doctor,
    make_hold,
    make_slots,
    make_specialty,
    make_waitlist_entry,
    tomorrow_at,
)


@breaks("waitlist_names_a_doctor_or_a_specialty_in_a_city")
def test_waiting_for_nobody_in_particular_is_refused():
    make_waitlist_entry(doctor=None, visit_type=None)


@breaks("waitlist_names_a_doctor_or_a_specialty_in_a_city")
def test_waiting_for_a_specialty_everywhere_is_refused():
    make_waitlist_entry(doctor=None, visit_type=None, specialty=make_specialty(), city="")


@breaks("waitlist_covers_at_least_a_day")
def test_waiting_backwards_is_refused():
    make_waitlist_entry(from_on=date(2030, 1, 2), until_on=date(2030, 1, 1))


@breaks("waitlist_names_weekdays_0_to_6")
def test_waiting_for_an_eighth_weekday_is_refused():
    make_waitlist_entry(weekdays=[7])


@breaks("waitlist_day_ends_after_it_starts")
def test_waiting_for_no_time_of_the_day_is_refused():
    make_waitlist_entry(day_from=time(10), day_until=time(10))


@breaks("waitlist_has_whole_minutes")
def test_waiting_from_the_middle_of_a_minute_is_refused():
    make_waitlist_entry(day_from=time(10, 0, 1))


@breaks("waitlist_has_whole_minutes")
def test_waiting_to_the_middle_of_a_minute_is_refused():
    make_waitlist_entry(day_until=time(10, 0, 1))


@breaks("waitlist_has_a_known_state")
def test_waiting_in_an_unknown_state_is_refused():
    make_waitlist_entry(state="lost")


@breaks("one_live_waitlist_entry_per_wish")
def test_waiting_twice_for_the_same_is_refused():
    entry = make_waitlist_entry()
    entry.pk = uuid7()
    entry.save(force_insert=True)


@breaks("offer_goes_to_somebody_who_waits")
def test_offering_to_somebody_who_has_left_is_refused():
    entry = make_waitlist_entry(state="withdrawn")
    make_hold(slots=make_slots(doctor=make_doctor()), waitlist_entry=entry)


@breaks("one_live_offer_per_waitlist_entry")
def test_nobody_has_two_offers_at_once():
    entry = make_waitlist_entry()
    make_hold(slots=make_slots(doctor=make_doctor()), waitlist_entry=entry)
    make_hold(
        slots=make_slots(doctor=make_doctor(), starts_at=tomorrow_at(15)), waitlist_entry=entry
    )


@breaks("there_is_one_booking_pause")
def test_booking_is_paused_by_one_switch():
    BookingPause.objects.create(id=2)
