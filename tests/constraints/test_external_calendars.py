"""Calendars elsewhere, and their busy times."""

from datetime import timedelta

import pytest
from django.utils import timezone

from doctors.models import BusyPeriod, ExternalCalendar
from tests.constraints.registry import breaks
from tests.factories import make_calendar, make_doctor


def with_address(**fields) -> ExternalCalendar:
    given = {"address": "fernet:x", "digest": "0" * 24, "next_at": timezone.now()}
    return make_calendar(**(given | fields))


def busy(**fields) -> BusyPeriod:
    now = timezone.now()
    given = {"starts_at": now, "ends_at": now + timedelta(hours=1)}
    return BusyPeriod.objects.create(**(given | fields))


@breaks("one_connection_per_doctor_and_address")
def test_address_is_connected_once_for_a_doctor():
    with_address(doctor=with_address().doctor)


@breaks("calendar_with_an_address_is_read_again")
def test_calendar_with_an_address_has_a_next_reading():
    with_address(next_at=None)


@breaks("calendar_in_trouble_says_since_when")
def test_trouble_without_a_beginning_is_refused():
    make_calendar(trouble="too-slow")


@breaks("one_busy_time_per_calendar_and_start")
def test_two_busy_times_of_a_calendar_do_not_begin_together():
    first = busy(calendar=make_calendar())
    busy(calendar=first.calendar, starts_at=first.starts_at)


@breaks("busy_time_ends_after_it_starts")
def test_busy_time_without_length_is_refused():
    now = timezone.now()
    busy(calendar=make_calendar(), starts_at=now, ends_at=now)


@pytest.mark.django_db
def test_files_and_addresses_of_other_doctors_are_in_nobodys_way():
    doctor = make_doctor()
    make_calendar(doctor=doctor)
    make_calendar(doctor=doctor)
    with_address(doctor=doctor)
    with_address()
