"""Cancelling a visit on the pages, with and without a dialog, and looking for another time."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.appointments.services.changes import cancel_appointment
from bookings.models import Appointment
from doctors.models import Doctor, VisitType
from tests.bookings.parties import doctor_of, login_of, patient_of
from tests.bookings.traces import traces
from tests.factories import (
    make_admin,
    make_appointment,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import HTMX, is_whole_page, offered_slots, signed_in, swapped, typed, words

pytestmark = pytest.mark.django_db

THANKS = "Cancelled. Thank you for telling us early. The time is now free for somebody else."


def a_visit(*, days: int = 3, free: int = 0, **fields: Any) -> Appointment:
    """At 09:00 UTC, followed by this many free slots."""
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=days), count=1 + free)
    return make_appointment(slots=slots[:1], **fields)


def local(visit: Appointment, *, before: timedelta = timedelta()) -> str:
    moment = (visit.starts_at - before).astimezone(visit.clinic.zone)
    return f"{moment:%H:%M}"


def test_patient_is_asked_and_the_answer_calls_the_visit_off() -> None:
    visit = a_visit()
    browser, url = signed_in(visit.patient), f"/appointments/{visit.pk}/cancel/"
    question = browser.get(url)
    assert f"{local(visit)} with Dr Emma Visser?" in words(question)
    assert "Somebody else can then book the time." in words(question)
    assert f'href="/appointments/{visit.pk}/"' in question.content.decode()
    answer = {**typed(question), "reason": "I am better"}
    done = browser.post(url, answer, follow=True)
    assert done.redirect_chain == [(f"/appointments/{visit.pk}/", 302)]
    assert THANKS in words(done)
    visit.refresh_from_db()
    assert (visit.status, visit.version, visit.change_reason) == ("cancelled", 2, "I am better")


def test_looking_at_the_question_changes_nothing() -> None:
    visit = a_visit()
    before = traces()
    assert signed_in(visit.patient).get(f"/appointments/{visit.pk}/cancel/").status_code == 200
    assert traces() == before


def test_dialog_on_the_page_of_the_visit_sends_the_same_answer() -> None:
    visit = a_visit()
    browser = signed_in(visit.patient)
    page = browser.get(f"/appointments/{visit.pk}/")
    dialog = page.content.decode().partition("<dialog")[2].partition("</dialog>")[0]
    assert f'action="/appointments/{visit.pk}/cancel/"' in dialog
    assert re.search(r"Keep it", dialog)
    assert 'name="reason"' in dialog
    assert "Optional" in dialog
    answer = {"version": typed(page)["version"], "reason": "I am better"}
    browser.post(f"/appointments/{visit.pk}/cancel/", answer)
    visit.refresh_from_db()
    assert (visit.status, visit.change_reason) == ("cancelled", "I am better")


def test_cancelling_twice_thanks_twice_and_writes_once() -> None:
    visit = a_visit()
    browser, url = signed_in(visit.patient), f"/appointments/{visit.pk}/cancel/"
    browser.post(url, {"version": 1})
    before = traces()
    again = browser.post(url, {"version": 1}, follow=True)
    assert THANKS in words(again)
    assert traces() == before
    assert browser.get(url).headers["Location"] == f"/appointments/{visit.pk}/"


def test_answer_to_an_old_page_shows_the_visit_as_it_stands() -> None:
    visit = a_visit()
    Appointment.objects.filter(pk=visit.pk).update(version=7)
    before = traces()
    response = signed_in(visit.patient).post(f"/appointments/{visit.pk}/cancel/", {"version": 6})
    assert response.status_code == 412
    assert "This visit was changed a moment ago. These are its details now." in words(response)
    assert typed(response)["version"] == "7"
    assert traces() == before


@pytest.mark.parametrize("version", ["", "0", "-1", "x", "9" * 30])
def test_answer_without_a_version_is_asked_for_again(version: str) -> None:
    visit = a_visit()
    before = traces()
    url = f"/appointments/{visit.pk}/cancel/"
    data = {"version": version, "reason": "I <3 you"}
    response = signed_in(visit.patient).post(url, data)
    assert response.status_code == 422
    assert typed(response)["version"] == "1"
    assert typed(response)["reason"] == "I <3 you"
    assert traces() == before


@pytest.mark.parametrize("path", ["cancel", "reschedule"])
def test_too_late_says_until_when_and_which_number_to_call(path: str) -> None:
    visit = a_visit()
    Doctor.objects.update(change_notice_minutes=10 * 24 * 60)
    before = traces()
    browser = signed_in(visit.patient)
    response = browser.get(f"/appointments/{visit.pk}/{path}/")
    assert response.status_code == 422
    said = f"Online changes close 240 hours before. Call the clinic: {visit.clinic.phone}"
    assert said in words(response)
    assert 'href="tel:+31305550142"' in response.content.decode()
    assert browser.post(f"/appointments/{visit.pk}/cancel/", {"version": 1}).status_code == 422
    assert traces() == before


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (60, "Online changes close 1 hour before."),
        (90, "Online changes close 90 minutes before."),
        (1, "Online changes close 1 minute before."),
        (0, "Online changes close when the visit begins."),
    ],
)
def test_notice_is_said_in_hours_where_it_has_whole_ones(minutes: int, said: str) -> None:
    visit = make_appointment(slots=make_slots(doctor=make_doctor(), starts_at=timezone.now()))
    Doctor.objects.update(change_notice_minutes=minutes)
    page = signed_in(visit.patient).get(f"/appointments/{visit.pk}/cancel/")
    assert said in words(page)


@pytest.mark.parametrize("path", ["cancel", "reschedule"])
@pytest.mark.parametrize("status", ["arrived", "completed", "no_show", "rescheduled"])
def test_what_is_not_confirmed_is_shown_as_it_stands(path: str, status: str) -> None:
    visit = a_visit(status=status)
    browser = signed_in(visit.patient)
    page = browser.get(f"/appointments/{visit.pk}/{path}/")
    assert page.status_code == 409
    moved = "This visit has already moved."
    said = moved if status == "rescheduled" else "This visit can no longer be moved or cancelled."
    assert said in words(page)
    assert "Cancel visit" not in words(page)


STRANGERS = {
    "guest": lambda _visit: None,
    "another patient": lambda _visit: make_patient(),
    "the doctor": lambda visit: login_of(visit.doctor),
    "the secretary": lambda visit: make_secretary(doctor=visit.doctor),
    "staff": lambda _visit: make_admin(),
}


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize(
    ("method", "path"), [("get", "cancel"), ("post", "cancel"), ("get", "reschedule")]
)
def test_stranger_finds_nothing_to_change(who: str, method: str, path: str) -> None:
    visit = a_visit()
    browser = signed_in(STRANGERS[who](visit))
    before = traces()
    for number in (visit.pk, "01985f3e-0000-7000-8000-000000000001"):
        response = getattr(browser, method)(f"/appointments/{number}/{path}/", {"version": 1})
        asked = who == "guest" and method == "get"
        assert response.status_code == (302 if asked else 404)
    assert traces() == before


def test_visit_says_until_when_it_can_be_changed_and_offers_both_changes() -> None:
    visit = a_visit()
    browser = signed_in(visit.patient)
    for page in ("/appointments/", f"/appointments/{visit.pk}/"):
        response = browser.get(page)
        assert f"{local(visit, before=timedelta(hours=24))}" in words(response)
        assert "Free changes until" in words(response)
        for change in ("cancel", "reschedule"):
            assert f'href="/appointments/{visit.pk}/{change}/"' in response.content.decode()


def test_visit_that_is_too_close_offers_no_change_and_names_the_phone() -> None:
    visit = a_visit()
    Doctor.objects.update(change_notice_minutes=10 * 24 * 60)
    browser = signed_in(visit.patient)
    for page in ("/appointments/", f"/appointments/{visit.pk}/"):
        response = browser.get(page)
        assert "Free changes" not in words(response)
        assert "/cancel/" not in response.content.decode()
    assert visit.clinic.phone in words(response)


def test_visit_that_the_practice_has_cancelled_says_why_and_its_own_does_not() -> None:
    patient = make_patient()
    theirs, mine = a_visit(patient=patient), a_visit(patient=patient, days=5)
    for visit, by, why in (
        (theirs, doctor_of(theirs), "she is ill"),
        (mine, patient_of(mine), "none of your business"),
    ):
        cancel_appointment(
            appointment_id=visit.pk, by=by, version=1, now=timezone.now(), reason=why
        )
    browser = signed_in(patient)
    said = "Dr Emma Visser has to cancel this visit: she is ill"
    for page in (f"/appointments/{theirs.pk}/", "/appointments/?tab=cancelled"):
        assert said in words(browser.get(page))
    for page in (f"/appointments/{mine.pk}/", "/appointments/?tab=cancelled"):
        assert "none of your business" not in words(browser.get(page))


def a_chain() -> tuple[Appointment, Appointment]:
    patient = make_patient()
    new = a_visit(patient=patient, days=6)
    slots = make_slots(doctor=new.doctor, starts_at=tomorrow_at(10, days=5))
    old = make_appointment(slots=slots, patient=patient, status="rescheduled", replaced_by=new.pk)
    Appointment.objects.filter(pk=new.pk).update(replaces=old.pk)
    return old, new


def test_chain_of_a_moved_visit_can_be_walked_both_ways() -> None:
    old, new = a_chain()
    browser = signed_in(old.patient)
    was, is_now = browser.get(f"/appointments/{old.pk}/"), browser.get(f"/appointments/{new.pk}/")
    assert re.search(rf"Moved to \w+ \d+ \w+(?: \d{{4}})?, {local(new)}", words(was))
    assert f'href="/appointments/{new.pk}/"' in was.content.decode()
    assert re.search(rf"Moved from \w+ \d+ \w+(?: \d{{4}})?, {local(old)}", words(is_now))
    assert f'href="/appointments/{old.pk}/"' in is_now.content.decode()
    listed = browser.get("/appointments/?tab=cancelled")
    assert f'href="/appointments/{new.pk}/"' in listed.content.decode()


def test_more_moved_visits_cost_no_more_queries() -> None:
    counts = []
    patient = make_patient()
    browser = signed_in(patient)
    for days in (3, 30):
        for number in range(3):
            new = a_visit(patient=patient, days=days + number)
            slots = make_slots(doctor=new.doctor, starts_at=tomorrow_at(12, days=days + number))
            make_appointment(slots=slots, patient=patient, status="rescheduled", replaced_by=new.pk)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/appointments/?tab=cancelled").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


# -- another time


def test_moving_shows_the_time_that_is_kept_above_the_free_ones() -> None:
    visit = a_visit(free=3)
    make_visit_type(doctor=visit.doctor, name="Something else")
    before = traces()
    page = signed_in(visit.patient).get(f"/appointments/{visit.pk}/reschedule/")
    assert f"{local(visit)} until the new one is confirmed" in words(page)
    free = visit.doctor.slots.filter(state="open").order_by("starts_at")
    assert offered_slots(page) == [slot.pk for slot in free]
    assert typed(page)["replaces"] == str(visit.pk)
    assert typed(page)["visit_type"] == str(visit.visit_type_id)
    assert "Something else" not in words(page)
    assert traces() == before


def test_days_and_months_of_the_move_stay_on_its_page() -> None:
    visit = a_visit(free=2)
    make_slots(doctor=visit.doctor, starts_at=tomorrow_at(days=40), count=1)
    url = f"/appointments/{visit.pk}/reschedule/"
    browser = signed_in(visit.patient)
    html = browser.get(url).content.decode()
    links = re.findall(r'hx-get="([^"]+)"', html)
    assert links
    assert all(link.startswith(url) for link in links)
    for link in links:
        path = link.replace("&amp;", "&")
        page, fragment = browser.get(path), browser.get(path, headers=HTMX)
        assert is_whole_page(page)
        assert not is_whole_page(fragment)
        assert swapped(fragment) in words(page)


@pytest.mark.parametrize("query", ["date=x", "month=2026-13", "date=0001-01-01", "visit_type=x"])
def test_move_does_not_mind_an_address_that_means_nothing(query: str) -> None:
    visit = a_visit(free=1)
    page = signed_in(visit.patient).get(f"/appointments/{visit.pk}/reschedule/?{query}")
    assert page.status_code == 200


def test_move_offers_nothing_for_a_reason_that_is_no_longer_booked() -> None:
    visit = a_visit(free=2)
    make_visit_type(doctor=visit.doctor)
    VisitType.objects.filter(pk=visit.visit_type_id).update(is_active=False)
    page = signed_in(visit.patient).get(f"/appointments/{visit.pk}/reschedule/")
    assert page.status_code == 200
    assert offered_slots(page) == []
