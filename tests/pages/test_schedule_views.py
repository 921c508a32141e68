"""The schedule by week and month, as a list, and for several doctors side by side."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from accounts.models import User
from bookings.models import Appointment, VisitNote
from docbook.audit.models import AuditEvent
from doctors.models import Doctor
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_hold,
    make_override,
    make_secretary,
    make_slots,
    make_user,
    tomorrow_at,
)
from tests.pages.browser import HTMX, is_whole_page, signed_in, swapped, words

pytestmark = pytest.mark.django_db

MOST_QUERIES, MOST_BYTES = 12, 100_000


def login_of(doctor: Doctor) -> Client:
    doctor.user = doctor.user or make_user()
    doctor.save()
    return signed_in(doctor.user)


def a_visit(doctor: Doctor | None = None, *, hour: int = 9, **fields: Any) -> Appointment:
    slots = make_slots(doctor=doctor or make_doctor(), starts_at=tomorrow_at(hour, days=2))
    return make_appointment(slots=slots, **fields)


def day_of(visit: Appointment) -> date:
    return visit.starts_at.astimezone(visit.zone).date()


def view(name: str, of: Appointment, *, browser: Client | None = None, **query: Any) -> Any:
    asked = {"view": name, "date": day_of(of).isoformat(), **query}
    return (browser or login_of(of.doctor)).get("/schedule/", asked)


def test_week_shows_who_comes_when_and_what_is_still_free() -> None:
    visit = a_visit(patient_name="Hanna Lindqvist")
    make_slots(doctor=visit.doctor, starts_at=visit.ends_at, count=3)
    shown = words(view("week", visit))
    start = visit.starts_at.astimezone(visit.zone)
    until = visit.ends_at.astimezone(visit.zone)
    assert f"{start:%H:%M}–{until:%H:%M}, confirmed: Hanna Lindqvist" in shown
    assert "1 visit, 3 free" in shown


def test_week_does_not_show_the_days_around_it() -> None:
    visit = a_visit(patient_name="Hanna Lindqvist")
    other = view("week", visit, date=(day_of(visit) + timedelta(days=7)).isoformat())
    assert "Hanna Lindqvist" not in words(other)


def test_held_time_names_nobody() -> None:
    visit = a_visit()
    slots = make_slots(doctor=visit.doctor, starts_at=visit.ends_at)
    make_hold(slots=slots, first_name="Secret", last_name="Person")
    shown = words(view("week", visit))
    assert "On hold" in shown
    assert "Secret" not in shown


def test_closed_day_says_why() -> None:
    visit = a_visit()
    make_override(
        doctor=visit.doctor,
        first_day=day_of(visit),
        last_day=day_of(visit),
        kind="off",
        reason="Teaching day",
    )
    for name in ("week", "month"):
        assert "Teaching day" in words(view(name, visit))


def test_visit_opens_beside_the_week_and_its_buttons_lead_back_there() -> None:
    visit = a_visit(patient_name="Hanna Lindqvist", reason="A rash")
    browser = login_of(visit.doctor)
    VisitNote.objects.create(
        pk=visit.pk, text="Patch test", changed_at=visit.starts_at, changed_by=visit.doctor.user
    )
    page = view("week", visit, browser=browser, visit=str(visit.pk))
    assert "A rash" in words(page)
    assert "Patch test" in words(page)
    back = page.context["panel_url"]
    assert str(visit.pk) in back
    assert f'name="back" value="{back.replace("&", "&amp;")}"' in page.content.decode()
    answer = browser.post(
        f"/schedule/visits/{visit.pk}/act/", {"act": "arrived", "version": 1, "back": back}
    )
    assert answer["Location"] == back
    assert "Not here after all" not in words(browser.get(back))
    assert "arrived" in words(browser.get(back))


def test_note_beside_the_week_leads_back_there() -> None:
    visit = a_visit()
    browser = login_of(visit.doctor)
    back = f"/schedule/?doctor={visit.doctor.pk}&view=week&visit={visit.pk}"
    answer = browser.post(
        f"/schedule/visits/{visit.pk}/note/", {"text": "Called", "version": 0, "back": back}
    )
    assert answer["Location"] == back
    elsewhere = browser.post(
        f"/schedule/visits/{visit.pk}/note/",
        {"text": "Again", "version": 1, "back": "https://elsewhere.test/"},
    )
    assert elsewhere["Location"] == f"/schedule/visits/{visit.pk}/"


@pytest.mark.parametrize("asked", ["not-an-id", "0197f3c0-0000-7000-8000-000000000000"])
def test_visit_that_does_not_exist_is_not_found(asked: str) -> None:
    visit = a_visit()
    assert view("week", visit, visit=asked).status_code == 404


def test_visit_of_a_doctor_of_others_is_not_found() -> None:
    visit, foreign = a_visit(), a_visit()
    assert view("week", visit, visit=str(foreign.pk)).status_code == 404


def test_month_counts_visits_and_free_times_of_each_day() -> None:
    visit = a_visit()
    a_visit(visit.doctor, hour=11)
    a_visit(visit.doctor, hour=13, status="cancelled")
    make_slots(doctor=visit.doctor, starts_at=tomorrow_at(15, days=2), count=3)
    table = view("month", visit).content.decode().partition("<tbody>")[2]
    cells = [" ".join(strip_tags(cell).split()) for cell in table.split("</td>")]
    [cell] = [cell for cell in cells if "visits" in cell]
    assert cell.startswith(f"{day_of(visit):%A} {day_of(visit).day} ")
    assert cell.endswith("2 visits 3 free")


def test_list_shows_what_was_called_off_too_and_can_be_narrowed() -> None:
    visit = a_visit(patient_name="Hanna Lindqvist")
    a_visit(visit.doctor, hour=11, status="cancelled", patient_name="Piet Bakker")
    browser = login_of(visit.doctor)
    everything = words(view("list", visit, browser=browser))
    assert "Hanna Lindqvist" in everything
    assert "Piet Bakker" in everything
    narrowed = words(view("list", visit, browser=browser, status="cancelled"))
    assert "Piet Bakker" in narrowed
    assert "Hanna Lindqvist" not in narrowed


def test_long_list_has_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    visit = a_visit(patient_name="First of All")
    a_visit(visit.doctor, hour=11, patient_name="Last of All")
    monkeypatch.setattr("bookings.schedule.views.calendar.VISITS_PER_PAGE", 1)
    browser = login_of(visit.doctor)
    first = view("list", visit, browser=browser)
    assert "Last of All" not in words(first)
    assert "Last of All" in words(browser.get(first.context["later_url"]))


def secretary_of_two() -> tuple[User, Appointment, Appointment]:
    one, other = a_visit(patient_name="Hanna Lindqvist"), a_visit(patient_name="Piet Bakker")
    secretary = make_secretary(doctor=one.doctor)
    other.doctor.secretaries.create(secretary=secretary)
    return secretary, one, other


def test_secretary_sees_their_doctors_side_by_side_and_no_other() -> None:
    secretary, one, _other = secretary_of_two()
    a_visit(patient_name="Somebody Else")
    shown = words(view("doctors", one, browser=signed_in(secretary)))
    assert "Hanna Lindqvist" in shown
    assert "Piet Bakker" in shown
    assert "Somebody Else" not in shown
    read = AuditEvent.objects.filter(action="patients.read")
    assert read.count() == 2


def test_one_doctor_alone_is_offered_no_comparison() -> None:
    assert "Side by side" not in words(view("week", a_visit()))
    secretary, one, _other = secretary_of_two()
    assert "Side by side" in words(view("week", one, browser=signed_in(secretary)))


@pytest.mark.parametrize("name", ["week", "month", "list", "doctors"])
def test_htmx_gets_what_the_whole_page_holds(name: str) -> None:
    visit = a_visit()
    browser = login_of(visit.doctor)
    page = view(name, visit, browser=browser)
    asked = {"view": name, "date": day_of(visit).isoformat()}
    fragment = browser.get("/schedule/", asked, headers=HTMX)
    assert is_whole_page(page)
    assert not is_whole_page(fragment)
    assert swapped(fragment) in words(page)


def test_unknown_view_and_date_show_today() -> None:
    visit = a_visit()
    page = view("year", visit, date="tomorrow")
    assert page.context["view"] == "day"
    assert page.context["is_today"]


@pytest.mark.parametrize("name", ["week", "month", "list"])
def test_reading_who_comes_is_written_down_and_counting_them_is_not(name: str) -> None:
    visit = a_visit()
    view(name, visit)
    read = AuditEvent.objects.filter(action="patients.read")
    assert [event.after["dates"] for event in read] == (
        [] if name == "month" else [[day_of(visit).isoformat()]]
    )


@pytest.mark.parametrize("name", ["week", "month", "list"])
def test_full_period_is_light_and_costs_no_more_queries_than_an_empty_one(name: str) -> None:
    visit = a_visit(make_doctor(slot_minutes=15), hour=7)
    browser = login_of(visit.doctor)
    view(name, visit, browser=browser)  # the first request of a process asks for more
    counts = [queries_of(name, visit, browser=browser)]
    monday = tomorrow_at(7, 15, days=2) - timedelta(days=day_of(visit).weekday())
    for n in range(5):
        day = monday + timedelta(days=n)
        for slot in make_slots(doctor=visit.doctor, starts_at=day, count=40):
            make_appointment(slots=[slot], patient_name="Marietje van Schaik-Wigger")
    counts.append(queries_of(name, visit, browser=browser))
    assert counts[0] == counts[1] <= MOST_QUERIES
    assert len(view(name, visit, browser=browser).content) < MOST_BYTES


def queries_of(name: str, visit: Appointment, *, browser: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert view(name, visit, browser=browser).status_code == 200
    return len(queries)


def test_line_of_the_present_moment_follows_the_clock_of_the_places(time_machine: Any) -> None:
    visit = a_visit()
    time_machine.move_to(visit.starts_at, tick=False)
    browser = login_of(visit.doctor)
    here = visit.starts_at.astimezone(visit.zone)
    page = browser.get("/schedule/", {"view": "week"})
    assert page.context["grid"].now == here.hour * 60 + here.minute
    elsewhere = make_clinic(time_zone="Europe/Lisbon")
    make_slots(doctor=visit.doctor, clinic=elsewhere, starts_at=visit.ends_at)
    page = browser.get("/schedule/", {"view": "week"})
    assert page.context["grid"].now is None
