"""The day of a doctor, line by line: how long, who, how to reach them, and what is over."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils.html import strip_tags

from bookings.models import Appointment
from doctors.models import Doctor
from tests.bookings.acts import book, bookable, guest
from tests.days_said import day_said
from tests.factories import (
    make_appointment,
    make_doctor,
    make_slots,
    make_user,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import HTMX, signed_in, words

pytestmark = pytest.mark.django_db


def who_runs(doctor: Doctor) -> Client:
    doctor.user = make_user()
    doctor.save()
    return signed_in(doctor.user)


def day_of(doctor: Doctor, **headers: Any) -> Any:
    return who_runs(doctor).get(f"/schedule/?date={tomorrow_at(days=2).date()}", **headers)


def clock(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo('Europe/Amsterdam')):%H:%M}"


def test_line_says_when_a_visit_ends() -> None:
    visit_type, slots = bookable(slots=3)
    book(slots[0], visit_type=visit_type, holder=guest())
    start, end = clock(slots[0].starts_at), clock(slots[2].ends_at)
    page = day_of(visit_type.doctor)
    assert f"{start} –{end}" in words(page)
    # By Tab, a screen reader comes from summary to summary and reads nothing between them.
    summary = page.content.decode().partition("<summary>")[2].partition("</summary>")[0]
    said = " ".join(strip_tags(summary).split())
    assert said.startswith(f"{start} to {end}, Saskia Kuipers")


def test_visit_opens_to_phone_mail_reason_and_reference() -> None:
    visit_type, slots = bookable()
    visit = book(slots[0], visit_type=visit_type, holder=guest())
    page = day_of(visit_type.doctor)
    shown = words(page)
    assert 'href="tel:+31655501234"' in page.content.decode()
    assert 'href="mailto:saskia.kuipers@example.test"' in page.content.decode()
    assert "A rash on the elbow" in shown
    assert (
        words(signed_in(visit.patient).get(f"/appointments/{visit.pk}/")).rpartition("Reference ")[
            2
        ][:9]
        in shown
    )


def test_patient_who_gave_no_number_is_reached_as_the_account_says() -> None:
    doctor = make_doctor()
    visit = make_appointment(slots=make_slots(doctor=doctor))
    visit.patient.phone = "+31 6 0000 0001"
    visit.patient.save()
    page = day_of(doctor).content.decode()
    assert "tel:+31600000001" in page
    assert visit.patient.email in page


def test_visit_by_phone_says_so_on_its_line() -> None:
    first, slots = bookable()
    visit_type = make_visit_type(doctor=first.doctor, mode="phone", name="Talk")
    book(slots[0], visit_type=visit_type, holder=guest())
    assert "Talk, phone" in words(day_of(first.doctor))


def test_free_time_says_so_once() -> None:
    visit_type, slots = bookable(count=1)
    _before, _time, after = words(day_of(visit_type.doctor)).partition(clock(slots[0].starts_at))
    line = after.partition("Confirmed")[0]
    assert line.count("Free") == 1


def test_break_in_the_hours_is_a_line_of_its_own() -> None:
    visit_type, slots = bookable(count=2)
    after = slots[-1].ends_at + timedelta(hours=1)
    make_slots(doctor=visit_type.doctor, starts_at=after)
    shown = words(day_of(visit_type.doctor))
    assert shown.count(f"No hours until {clock(after)}") == 1
    assert "Still free 3" in shown


def test_time_that_is_over_is_not_booked_and_no_longer_free(time_machine: Any) -> None:
    visit_type, slots = bookable(count=3)
    browser = who_runs(visit_type.doctor)
    time_machine.move_to(slots[1].starts_at, tick=False)
    shown = words(browser.get("/schedule/"))
    assert shown.count("Not booked") == 2 + 1  # two lines and the key
    assert "Still free 1" in shown


def arrived() -> Appointment:
    doctor = make_doctor()
    return make_appointment(
        slots=make_slots(doctor=doctor), status="arrived", patient_name="Wilma Wacht"
    )


def test_who_has_arrived_today_is_named_above_the_day(time_machine: Any) -> None:
    visit = arrived()
    browser = who_runs(visit.doctor)
    time_machine.move_to(visit.starts_at, tick=False)
    assert "In the waiting room Wilma Wacht" in words(browser.get("/schedule/"))


def test_nobody_waits_on_another_day() -> None:
    assert "In the waiting room" not in words(day_of(arrived().doctor))


def test_page_says_whose_day_it_is_beside_the_rail_too() -> None:
    visit_type, _slots = bookable()
    page = day_of(visit_type.doctor)
    assert "Dr Emma Visser · Huid & Haar Kliniek" in words(page)


def test_title_follows_the_day_that_htmx_asks_for() -> None:
    visit_type, _slots = bookable()
    fragment = day_of(visit_type.doctor, headers=HTMX).content.decode()
    day = tomorrow_at(days=2)
    assert f"<title>{day_said(day)}, Dr Emma Visser · DocBook" in fragment


def test_day_without_anything_leads_to_the_next_on_which_somebody_comes() -> None:
    doctor = make_doctor()
    make_appointment(slots=make_slots(doctor=doctor, starts_at=tomorrow_at(days=4)))
    browser = who_runs(doctor)
    page = browser.get(f"/schedule/?date={tomorrow_at().date()}")
    link = f"doctor={doctor.pk}&amp;date={tomorrow_at(days=4).date()}"
    assert "Next visits" in words(page)
    assert link in page.content.decode()
