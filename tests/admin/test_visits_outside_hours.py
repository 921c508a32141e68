"""When hours end or a doctor is switched off, staff see the visits that remain."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from bookings.appointments.selectors.outside_hours import visits_outside_hours
from bookings.models import Appointment
from doctors.models import AvailabilityRule, Doctor
from tests.admin.test_admin import doctor_form, hours
from tests.factories import (
    CLINIC_ZONE,
    make_admin,
    make_appointment,
    make_clinic,
    make_closed_day,
    make_doctor,
    make_override,
    make_rule,
    make_slots,
    make_user,
    tomorrow_at,
)
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db

LIST = "/admin/bookings/appointment/"


def page_of(doctor: Doctor) -> str:
    return f"/admin/doctors/doctor/{doctor.pk}/change/"


def local(hour: int, minute: int = 0, *, days: int = 2) -> datetime:
    """An instant at this time on the clinic's clock."""
    day = tomorrow_at(days=days).date()
    return datetime.combine(day, time(hour, minute), tzinfo=CLINIC_ZONE)


def visit_at(doctor: Doctor, hour: int, minute: int = 0, **more: Any) -> Appointment:
    slots = make_slots(doctor=doctor, starts_at=local(hour, minute), **more)
    return make_appointment(slots=slots)


def outside(doctor: Doctor) -> list[Any]:
    return visits_outside_hours(doctor, now=timezone.now())


def save(doctor: Doctor, *rules: dict[str, Any], **fields: Any) -> tuple[Client, Any]:
    """The doctor's form with one existing row of hours, and new ones."""
    browser = signed_in(make_admin())
    form = doctor_form(doctor, *rules, **fields)
    form["rules-INITIAL_FORMS"] = sum("id" in rule for rule in rules)
    return browser, browser.post(page_of(doctor), form, follow=True)


@pytest.mark.parametrize("why", ["time off", "closed day"])
def test_visit_in_time_off_or_on_a_closed_day_is_outside_and_extra_hours_cover_it(why: str) -> None:
    doctor = make_doctor()
    make_rule(doctor=doctor, starts=time(8), ends=time(12))
    visit = visit_at(doctor, 9)
    assert outside(doctor) == []
    day = local(9).date()
    if why == "time off":
        make_override(doctor=doctor, first_day=day, starts=time(9), ends=time(10))
    else:
        make_closed_day(clinic=doctor.clinic, day=day)
    assert outside(doctor) == [visit.pk]
    extra = {"doctor": doctor, "kind": "extra", "clinic": doctor.clinic, "first_day": day}
    make_override(**extra, starts=time(8), ends=time(10))
    assert outside(doctor) == ([visit.pk] if why == "time off" else [])


def test_ending_hours_says_how_many_visits_lie_outside_and_leads_to_them() -> None:
    doctor = make_doctor()
    rule = make_rule(doctor=doctor)
    _inside, first, second = (visit_at(doctor, hour) for hour in (9, 10, 11))
    make_appointment(slots=make_slots(doctor=make_doctor(), starts_at=local(20)))
    assert outside(doctor) == []
    browser, saved = save(doctor, hours(id=rule.pk, ends="10:00"))
    told = (
        "2 booked visits are outside this doctor's hours. "
        "Nothing is cancelled until somebody cancels it. Look at these visits"
    )
    link = f"{LIST}?outside_hours={doctor.pk}"
    for answer in (saved, browser.get(page_of(doctor))):
        assert told in words(answer)
        assert link in answer.content.decode()
    listed = browser.get(link).context["cl"].result_list
    assert {each.pk for each in listed} == {first.pk, second.pk}
    assert Appointment.objects.filter(status="confirmed").count() == 4
    _browser, saved = save(doctor, hours(id=rule.pk, ends="12:00"))
    assert "outside the hours" not in words(saved)


def test_saving_a_suspended_doctor_says_how_many_visits_remain() -> None:
    doctor = make_doctor(is_active=False)
    rule = make_rule(doctor=doctor)
    visit_at(doctor, 9)
    form = doctor_form(doctor, hours(id=rule.pk)) | {"rules-INITIAL_FORMS": 1}
    browser = signed_in(make_admin())
    saved = browser.post(page_of(doctor), form, follow=True)
    told = "This doctor takes no bookings but still has 1 booked visit. Nothing is cancelled"
    assert told in words(saved)
    assert told in words(browser.get(page_of(doctor)))


def test_visits_are_inside_hours_that_follow_each_other_and_not_those_of_another_clinic() -> None:
    doctor = make_doctor()
    make_rule(doctor=doctor)
    AvailabilityRule.objects.update(ends=time(9, 10))
    make_rule(doctor=doctor, starts=time(9, 10), ends=time(12))
    elsewhere = make_clinic(city="Paris")
    visit_at(doctor, 9)
    there = visit_at(doctor, 10, clinic=elsewhere)
    late = visit_at(doctor, 11, 50)
    assert outside(doctor) == [there.pk, late.pk]


def test_visits_of_the_past_and_cancelled_ones_are_none() -> None:
    doctor = make_doctor()
    make_appointment(slots=make_slots(doctor=doctor, starts_at=timezone.now() - timedelta(days=1)))
    Appointment.objects.filter(pk=visit_at(doctor, 9).pk).update(status="cancelled", version=2)
    assert outside(doctor) == []


def test_visit_until_midnight_is_inside_hours_to_the_end_of_the_day() -> None:
    doctor = make_doctor()
    make_rule(doctor=doctor, starts=time(22), ends=time(0))
    visit_at(doctor, 23, 40)
    assert outside(doctor) == []


def test_staff_who_may_not_look_at_visits_get_no_link() -> None:
    doctor = make_doctor()
    visit_at(doctor, 9)
    staff = make_user(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename="change_doctor"))
    page = signed_in(staff).get(page_of(doctor))
    assert "1 booked visit is outside this doctor's hours." in words(page)
    assert "outside_hours" not in page.content.decode()


@pytest.mark.parametrize("value", ["x", "", "999999", "1" * 40])
def test_filter_that_names_no_doctor_filters_nothing(value: str) -> None:
    visit_at(make_doctor(), 9)
    answer = signed_in(make_admin()).get(LIST, {"outside_hours": value})
    assert answer.status_code == 200
    assert answer.context["cl"].result_count == 1


@pytest.mark.parametrize("value", ["9" * 5000, "9" * 18, "²", "x"])
def test_filter_by_a_doctor_that_there_is_not_shows_all_visits(value: str) -> None:
    visit = visit_at(make_doctor(), 9)
    browser = Client()
    browser.force_login(make_admin())
    listed = browser.get(LIST, {"outside_hours": value}).context["cl"].result_list
    assert [each.pk for each in listed] == [visit.pk]
