"""Clinics, doctors and what they offer."""

from datetime import date, time

import pytest

from doctors.models import SlotExpansion
from tests.constraints.registry import breaks
from tests.factories import (
    make_clinic,
    make_closed_day,
    make_doctor,
    make_override,
    make_rule,
    make_secretary,
    make_visit_type,
)


@breaks("clinic_country_is_two_capital_letters")
def test_a_country_in_words_is_refused():
    make_clinic(country="nl")


@breaks("doctor_slot_is_5_to_240_minutes")
def test_a_slot_of_no_length_is_refused():
    make_doctor(slot_minutes=0)


@breaks("doctor_horizon_is_1_to_365_days")
def test_a_horizon_of_years_is_refused():
    make_doctor(horizon_days=366)


@breaks("doctor_has_1_to_300_visits_a_day")
def test_a_doctor_without_any_visits_is_refused():
    make_doctor(most_visits_a_day=0)


@breaks("one_assignment_per_secretary_and_doctor")
def test_a_secretary_is_assigned_to_a_doctor_once():
    doctor = make_doctor()
    assignment = make_secretary(doctor=doctor).secretary_assignments.get()
    assignment.pk = None
    assignment.save()


@breaks("one_visit_type_per_doctor_and_name")
def test_a_doctor_has_one_visit_type_of_a_name():
    doctor = make_doctor()
    make_visit_type(doctor=doctor, name="Skin check")
    make_visit_type(doctor=doctor, name="Skin check")


@breaks("visit_type_takes_1_to_12_slots")
def test_a_visit_without_slots_is_refused():
    make_visit_type(doctor=make_doctor(), slots=0)


@breaks("visit_type_has_one_mode")
def test_a_visit_in_any_mode_is_refused():
    make_visit_type(doctor=make_doctor(), mode="any")


@breaks("visit_type_currency_is_three_capital_letters")
def test_a_currency_sign_is_no_currency():
    make_visit_type(doctor=make_doctor(), currency="€")


@breaks("rule_ends_after_it_starts")
def test_hours_that_end_when_they_start_are_refused():
    make_rule(doctor=make_doctor(), starts=time(9), ends=time(9))


@pytest.mark.django_db
def test_hours_may_end_with_the_day_and_take_all_of_it():
    doctor = make_doctor()
    make_rule(doctor=doctor, starts=time(22), ends=time(0))
    make_rule(doctor=doctor, starts=time(0), ends=time(0))


@breaks("rule_has_whole_minutes")
def test_hours_from_the_middle_of_a_minute_are_refused():
    make_rule(doctor=make_doctor(), starts=time(16, 23, 41), ends=time(18))


@breaks("rule_has_whole_minutes")
def test_hours_to_the_middle_of_a_minute_are_refused():
    make_rule(doctor=make_doctor(), starts=time(16), ends=time(18, 0, 0, 1))


@breaks("rule_is_valid_for_at_least_a_day")
def test_hours_that_end_before_their_first_day_are_refused():
    make_rule(doctor=make_doctor(), valid_from=date(2026, 2, 2), valid_until=date(2026, 2, 1))


@breaks("rule_names_weekdays_0_to_6")
def test_an_eighth_weekday_is_refused():
    make_rule(doctor=make_doctor(), weekdays=[0, 7])


@breaks("rule_names_weekdays_0_to_6")
def test_hours_on_no_day_are_refused():
    make_rule(doctor=make_doctor(), weekdays=[])


@breaks("rule_has_a_known_mode")
def test_hours_in_an_unknown_mode_are_refused():
    make_rule(doctor=make_doctor(), mode="telepathy")


@breaks("rule_holds_every_1_to_4_weeks")
def test_hours_in_no_week_are_refused():
    make_rule(doctor=make_doctor(), every_weeks=0)


@breaks("override_has_a_day")
def test_time_off_that_ends_before_its_first_day_is_refused():
    make_override(first_day=date(2026, 2, 2), last_day=date(2026, 2, 1))


@breaks("override_ends_after_it_starts")
def test_time_off_that_ends_when_it_starts_is_refused():
    make_override(starts=time(9), ends=time(9))


@breaks("override_has_whole_minutes")
def test_time_off_from_the_middle_of_a_minute_is_refused():
    make_override(starts=time(9, 0, 30))


@breaks("extra_hours_are_at_a_clinic")
def test_extra_hours_nowhere_are_refused():
    make_override(kind="extra")


@breaks("override_has_a_known_kind")
def test_an_unknown_kind_of_override_is_refused():
    make_override(kind="nap")


@breaks("override_has_a_known_mode")
def test_extra_hours_in_an_unknown_mode_are_refused():
    make_override(mode="telepathy")


@breaks("one_closed_day_per_clinic_and_day")
def test_a_clinic_is_closed_on_a_day_once():
    closed = make_closed_day()
    make_closed_day(clinic=closed.clinic, day=closed.day)


@breaks("visit_type_keeps_at_most_12_slots_free")
def test_a_buffer_of_a_day_is_refused():
    make_visit_type(doctor=make_doctor(), buffer_slots=13)


@breaks("expansion_does_no_more_doctors_than_it_has")
def test_a_change_of_hours_does_no_more_doctors_than_it_names():
    SlotExpansion.objects.create(doctor_ids=[1, 2], done=3)
