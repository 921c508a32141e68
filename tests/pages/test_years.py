"""A day of another year is shown with its year, wherever a page or a mail names it."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from bookings.models import Appointment
from bookings.notifications.letters import visits
from doctors.models import Slot, VisitType
from tests.bookings.acts import as_patient, book, take
from tests.bookings.telling import told
from tests.days_said import day_said
from tests.factories import (
    make_doctor,
    make_patient,
    make_slots,
    make_user,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db


def far_ahead() -> tuple[VisitType, list[Slot]]:
    """Nearly a year from now: mostly another year, but in the first weeks of a year the same."""
    doctor = make_doctor(horizon_days=365)
    slots = make_slots(doctor=doctor, starts_at=tomorrow_at(days=340), count=4)
    return make_visit_type(doctor=doctor), slots


def booked() -> Appointment:
    visit_type, slots = far_ahead()
    return book(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))


def test_pages_of_a_visit_name_its_year() -> None:
    visit = booked()
    local = visit.starts_at.astimezone(visit.clinic.zone)
    browser = signed_in(visit.patient)
    page = browser.get(f"/appointments/{visit.pk}/")
    assert f"<title>{day_said(local)}, " in " ".join(page.content.decode().split())
    assert day_said(local, "%A", "%B") in words(page)
    assert f"Cancel {day_said(local)}, " in words(browser.get(f"/appointments/{visit.pk}/cancel/"))
    assert day_said(local, "%A", "%B") in words(browser.get("/appointments/"))


@pytest.mark.parametrize(("days", "is_near"), [(2, True), (6, True), (7, False), (340, False)])
def test_page_after_booking_says_the_whole_day_from_a_week_on(days: int, is_near: bool) -> None:
    doctor = make_doctor(horizon_days=365)
    slots = make_slots(doctor=doctor, starts_at=tomorrow_at(days=days))
    given = {"visit_type": make_visit_type(doctor=doctor), "holder": as_patient(make_patient())}
    visit = book(slots[0], **given)
    local = visit.starts_at.astimezone(visit.clinic.zone)
    browser = signed_in(visit.patient)
    page = words(browser.get(f"/appointments/{visit.pk}/?confirmed=1"))
    day = f"{local:%A}" if is_near else day_said(local, "%A", "%B")
    assert f"See you on {day} Your appointment is confirmed." in page


def test_the_picker_and_a_held_time_name_the_year() -> None:
    visit_type, slots = far_ahead()
    local = slots[0].starts_at.astimezone(visit_type.doctor.clinic.zone)
    patient = make_patient()
    browser = signed_in(patient)
    page = browser.get(f"/doctors/{visit_type.doctor.slug}/?date={local.date()}")
    assert day_said(local, "%A", "%B") in words(page)
    assert f'aria-label="{day_said(local, "%A", "%B")}, {local:%H:%M} to ' in page.content.decode()
    hold = take(slots[0], visit_type=visit_type, holder=as_patient(patient))
    assert day_said(local, "%a", "%B") in words(browser.get(f"/book/{hold.pk}/"))
    card = browser.get(f"/doctors/?available_on={local.date()}").content.decode()
    assert f'aria-label="{day_said(local, "%A", "%B")}, ' in card
    assert f"</strong> {day_said(local.date())[4:]}</h3>" in card


def test_the_day_of_a_doctor_names_its_year() -> None:
    visit = booked()
    visit.doctor.user = make_user()
    visit.doctor.save()
    local = visit.starts_at.astimezone(visit.clinic.zone)
    page = words(signed_in(visit.doctor.user).get(f"/schedule/?date={local.date()}"))
    assert day_said(local, "%A", "%B") in page


@pytest.mark.parametrize("kind", ["confirmed", "cancelled", "reminder"])
def test_mails_about_a_visit_name_its_year_in_subject_text_and_html(kind: str) -> None:
    visit = booked()
    local = visit.starts_at.astimezone(visit.clinic.zone)
    letter = {
        "confirmed": visits.confirmation,
        "cancelled": visits.cancelled,
        "reminder": partial(visits.reminder, kind="24h"),
    }[kind](told(visit), now=timezone.now())
    assert f": {day_said(local, '%a', '%B')}, {local:%H:%M}, Dr Emma Visser" in letter.subject
    assert day_said(local, "%A", "%B") in letter.body
    assert day_said(local, "%A", "%B") in str(letter.alternatives[0][0])
    until = local - timedelta(minutes=visit.doctor.change_notice_minutes)
    if kind != "cancelled":
        assert f"until {day_said(until, '%A', '%B')}, " in letter.body
