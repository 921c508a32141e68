"""No page and no mail links to a missing page, whatever was switched off since."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings.appointments.selectors.appointments import find_visit
from bookings.appointments.services.changes import cancel_appointment
from bookings.engine.links import offer_token
from bookings.models import Hold
from bookings.notifications.letters import visits
from docbook.notify.letters import Letter
from doctors.models import Doctor, VisitType
from tests.bookings.acts import as_patient, attempt, bookable, code_of, let_expire, take
from tests.bookings.telling import told
from tests.factories import (
    make_appointment,
    make_doctor,
    make_hold,
    make_patient,
    make_slots,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)
from tests.journeys.doors import words
from tests.pages.browser import signed_in

pytestmark = pytest.mark.django_db

_LINK = re.compile(
    r'(?:href|hx-get|data-address)="([^"#]+)[^"]*"|<form[^>]*method="get"[^>]*action="([^"]+)"'
)


def links_of(text: str) -> set[str]:
    found = (unescape(a or b) for a, b in _LINK.findall(text))
    ours = (each.removeprefix(settings.SITE_URL) for each in found)
    return {each for each in ours if each.startswith("/") and not each.startswith("/static/")}


def assert_all_lead_somewhere(browser: Client, links: set[str]) -> None:
    dead = {each for each in links if browser.get(each).status_code in (404, 500)}
    assert dead == set()


def doctor_off() -> None:
    Doctor.objects.update(is_active=False)


def reasons_off() -> None:
    VisitType.objects.update(is_active=False)


each_switch = pytest.mark.parametrize("switch", [doctor_off, reasons_off, lambda: None])


def a_life(patient: User) -> list[str]:
    """The pages of a patient with visits of every kind, a held time and an expired offer."""
    doctor = make_doctor(change_notice_minutes=0)
    visit_type = make_visit_type(doctor=doctor)
    slots = make_slots(doctor=doctor, starts_at=tomorrow_at(days=3), count=8)
    past = make_slots(doctor=doctor, starts_at=timezone.now() - timedelta(days=3))
    made = [
        make_appointment(slots=past, patient=patient, visit_type=visit_type),
        make_appointment(slots=slots[:1], patient=patient, visit_type=visit_type),
        make_appointment(slots=slots[1:2], patient=patient, visit_type=visit_type),
    ]
    cancel_appointment(
        appointment_id=made[2].pk, by=as_patient(patient), version=1, now=timezone.now()
    )
    held = attempt(slots[3], visit_type=visit_type, holder=as_patient(patient))
    entry = make_waitlist_entry(patient=patient, doctor=doctor, visit_type=visit_type)
    offer = make_hold(
        slots=slots[5:6],
        visit_type=visit_type,
        patient=patient,
        waitlist_entry=entry,
        code_sent_at=timezone.now(),
    )
    let_expire(offer)
    return [
        "/",
        "/doctors/",
        *(f"/appointments/?tab={tab}" for tab in ("upcoming", "past", "cancelled")),
        *(f"/appointments/{each.pk}/" for each in made),
        f"/appointments/{made[1].pk}/reschedule/",
        f"/appointments/{made[1].pk}/cancel/",
        f"/book/{held.pk}/",
        f"/book/{held.pk}/code/",
        f"/waitlist/offers/{offer_token(offer)}/",
    ]


@each_switch
def test_no_link_of_a_patients_pages_leads_nowhere(switch: Callable[[], None]) -> None:
    patient = make_patient()
    pages = a_life(patient)
    switch()
    browser = signed_in(patient)
    for page in pages:
        answer = browser.get(page)
        assert answer.status_code == 200, page
        assert_all_lead_somewhere(browser, links_of(answer.content.decode()))


@each_switch
def test_no_link_of_a_mail_leads_nowhere(switch: Callable[[], None]) -> None:
    patient = make_patient()
    a_life(patient)
    switch()
    letters: list[Letter] = []
    for pk, starts_at in Hold.objects.filter(state="confirmed").values_list("pk", "starts_at"):
        visit, now = find_visit(pk=pk, starts_at=starts_at), timezone.now()
        letters += [
            visits.confirmation(told(visit), now=now),
            visits.cancelled(told(visit), now=now),
            visits.called_off(told(visit), next_free=[], now=now),
            visits.reminder(told(visit), kind="24", now=now),
        ]
    assert letters
    browser = signed_in(patient)
    for letter in letters:
        html = str(letter.alternatives[0].content)
        written = set(re.findall(re.escape(settings.SITE_URL) + r"(/\S*)", str(letter.body)))
        assert_all_lead_somewhere(browser, links_of(html) | written)


def test_visits_of_a_doctor_who_is_switched_off_offer_no_new_booking() -> None:
    patient = make_patient()
    a_life(patient)
    browser = signed_in(patient)
    assert "Book again" in words(browser.get("/appointments/?tab=past"))
    doctor_off()
    for tab in ("past", "cancelled"):
        assert "Book again" not in words(browser.get(f"/appointments/?tab={tab}"))


@pytest.mark.parametrize("following", ["", "their page", "another's page"])
def test_time_of_a_doctor_who_is_switched_off_is_given_back_to_a_page_that_is_there(
    following: str,
) -> None:
    browser = signed_in()
    visit_type, slots = bookable()
    other = make_doctor()
    data = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    page = browser.post("/book/", data).headers["Location"]
    Doctor.objects.filter(pk=visit_type.doctor_id).update(is_active=False)
    urls = {
        "": "",
        "their page": f"/doctors/{visit_type.doctor.slug}/",
        "another's page": f"/doctors/{other.slug}/",
    }
    given_back = browser.post(f"{page}release/", {"next": urls[following]})
    expected = urls[following] if following == "another's page" else "/doctors/"
    assert given_back.headers["Location"] == expected


def test_time_of_a_doctor_who_is_switched_off_is_lost_with_a_word_and_a_way_on() -> None:
    patient = make_patient()
    browser, (visit_type, slots) = signed_in(patient), bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(patient))
    late = take(slots[2], visit_type=visit_type, holder=as_patient(patient))
    let_expire(late)
    doctor_off()
    refused = browser.post(f"/book/{hold.pk}/code/", {"code": code_of(hold)})
    too_late = browser.get(f"/book/{late.pk}/")
    assert "This time is no longer offered." in words(refused)
    assert "The five minutes are over" not in words(refused)
    assert "It is gone now." in words(too_late)
    for answer in (refused, too_late):
        assert answer.status_code == 410
        assert "takes no bookings here at the moment" in words(answer)
        assert_all_lead_somewhere(browser, links_of(answer.content.decode()))
