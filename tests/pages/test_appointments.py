"""A patient's appointments and a doctor's day: for the people they belong to, and nobody else."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from bookings.actors.holder import Holder
from bookings.engine.links import offer_token
from bookings.models import Appointment
from doctors.models import Doctor, Slot, SlotState
from tests.bookings.acts import book, bookable, guest, hold_instead, let_expire, take
from tests.days_said import day_said
from tests.factories import (
    make_admin,
    make_appointment,
    make_clinic,
    make_doctor,
    make_hold,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)
from tests.pages.browser import HTMX, is_whole_page, signed_in, swapped, words

pytestmark = pytest.mark.django_db


def visit(patient: User, *, days: int = 1, **fields: Any) -> Appointment:
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=days))
    return make_appointment(slots=slots, patient=patient, **fields)


def test_appointments_stand_under_upcoming_past_and_cancelled() -> None:
    patient = make_patient()
    visits = {
        "upcoming": visit(patient, days=3),
        "past": visit(patient, days=-3, status="completed"),
        "cancelled": visit(patient, days=4, status="cancelled"),
    }
    for tab in visits:
        page = signed_in(patient).get(f"/appointments/?tab={tab}").content.decode()
        shown = [name for name, each in visits.items() if each.doctor.slug in page]
        links = [name for name, each in visits.items() if f"/appointments/{each.pk}/" in page]
        assert {tab} == set(shown) | set(links)


def test_clock_is_named_where_the_clocks_of_a_list_differ() -> None:
    patient = make_patient()
    visit(patient)
    browser = signed_in(patient)
    assert "Amsterdam time" not in words(browser.get("/appointments/"))
    london = make_clinic(city="London", time_zone="Europe/London")
    slots = make_slots(doctor=make_doctor(clinic=london), starts_at=tomorrow_at(days=2))
    make_appointment(slots=slots, patient=patient)
    both = words(browser.get("/appointments/"))
    assert both.count("Amsterdam time") == both.count("London time") == 1


def test_list_says_how_far_away_a_visit_is_in_the_hour_before_midnight(time_machine: Any) -> None:
    """In Utrecht the next day has begun, so "tomorrow" depends on the reader's place."""
    patient = make_patient()
    for days in (2, 9):
        visit(patient, days=days)
    browser = signed_in(patient)
    time_machine.move_to(tomorrow_at(23, 30, days=0), tick=False)
    page = words(browser.get("/appointments/"))
    assert "in 8 days" in page
    assert "tomorrow" not in page


def test_appointments_of_others_are_not_in_the_list() -> None:
    mine, other = visit(make_patient()), visit(make_patient())
    page = signed_in(mine.patient).get("/appointments/").content.decode()
    assert str(mine.pk) in page
    assert str(other.pk) not in page


def test_empty_list_says_where_to_go() -> None:
    page = signed_in(make_patient()).get("/appointments/")
    assert "Nothing planned" in words(page)
    assert 'href="/doctors/"' in page.content.decode()


@pytest.mark.parametrize("query", ["tab=x", "page=0", "page=99999", "page=x", "tab=past&page=-1"])
def test_list_does_not_mind_an_address_that_means_nothing(query: str) -> None:
    patient = make_patient()
    visit(patient)
    assert signed_in(patient).get(f"/appointments/?{query}").status_code == 200


def test_twenty_visits_cost_as_many_queries_as_ten() -> None:
    patient = make_patient()
    browser, counts = signed_in(patient), []
    for _ in range(2):
        for number in range(10):
            visit(patient, days=2 + number + 10 * len(counts))
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/appointments/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_list_has_pages_of_twenty() -> None:
    patient = make_patient()
    for number in range(21):
        visit(patient, days=2 + number)
    first = signed_in(patient).get("/appointments/")
    second = signed_in(patient).get("/appointments/?page=2")
    assert "1–20 of 21" in words(first)
    assert "21–21 of 21" in words(second)


def test_appointment_is_shown_by_the_clock_of_the_clinic() -> None:
    clinic = make_clinic(time_zone="Asia/Tokyo", country="JP", city="Tokyo")
    slots = make_slots(doctor=make_doctor(clinic=clinic))
    appointment = make_appointment(slots=slots)
    page = words(signed_in(appointment.patient).get(f"/appointments/{appointment.pk}/"))
    assert "18:00 – 18:20" in page
    assert appointment.patient_name in page


STRANGERS = {
    "guest": lambda _visit: None,
    "another patient": lambda _visit: make_patient(),
    "the doctor": lambda visit: login_of(visit.doctor),
    "the secretary": lambda visit: make_secretary(doctor=visit.doctor),
    "staff": lambda _visit: make_admin(),
}


def login_of(doctor: Any) -> User:
    doctor.user = make_user()
    doctor.save()
    return doctor.user


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("part", ["", "calendar.ics"])
def test_stranger_finds_nothing_at_the_address_of_an_appointment(who: str, part: str) -> None:
    mine = visit(make_patient())
    browser = signed_in(STRANGERS[who](mine))
    known = browser.get(f"/appointments/{mine.pk}/{part}")
    unknown = browser.get(f"/appointments/01985f3e-0000-7000-8000-000000000001/{part}")
    # Visitors who are not signed in are asked to sign in, whether the visit exists or not;
    # everybody else finds nothing.
    status = 302 if who == "guest" and not part else 404
    assert (known.status_code, unknown.status_code) == (status, status)
    assert without_reference(known) == without_reference(unknown)


def without_reference(response: Any) -> str:
    return re.sub(r"Reference \S+", "", words(response))


@pytest.mark.parametrize("path", ["/appointments/", "/schedule/"])
def test_guest_is_asked_to_sign_in_and_brought_back(path: str) -> None:
    response = Client().get(path)
    assert response.headers["Location"] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize("path", ["/appointments/", "/appointments/{}/", "/schedule/"])
def test_personal_pages_are_kept_by_no_cache(path: str) -> None:
    mine = visit(make_patient())
    mine.doctor.user = mine.patient
    mine.doctor.save()
    response = signed_in(mine.patient).get(path.format(mine.pk))
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


def a_day() -> tuple[Any, list[Slot]]:
    """A booked, a held, a free and a blocked time, and an expired hold that nobody has swept."""
    visit_type, slots = bookable(count=5)
    book(slots[0], visit_type=visit_type, holder=guest())
    take(slots[1], visit_type=visit_type, holder=guest())
    Slot.objects.filter(pk=slots[3].pk).update(state=SlotState.BLOCKED)
    let_expire(take(slots[4], visit_type=visit_type, holder=guest()))
    return visit_type.doctor, slots


RUNNERS = {"doctor": login_of, "secretary": lambda doctor: make_secretary(doctor=doctor)}


@pytest.mark.parametrize("who", RUNNERS)
def test_day_shows_who_comes_and_what_is_free_held_and_blocked(who: str) -> None:
    doctor, slots = a_day()
    day = slots[0].starts_at.date()
    page = words(signed_in(RUNNERS[who](doctor)).get(f"/schedule/?date={day}"))
    assert "Saskia Kuipers" in page
    assert "Somebody is confirming" in page
    assert "Blocked" in page
    assert "Visits 1" in page
    assert "Still free 2" in page
    assert "On hold 1" in page


@pytest.mark.parametrize("who", ["patient", "another doctor", "another secretary", "staff"])
def test_stranger_has_no_schedule_and_no_way_into_one(who: str) -> None:
    doctor, _slots = a_day()
    other = make_doctor()
    stranger = {
        "patient": make_patient,
        "another doctor": lambda: login_of(other),
        "another secretary": lambda: make_secretary(doctor=other),
        "staff": make_admin,
    }[who]()
    response = signed_in(stranger).get(f"/schedule/?doctor={doctor.pk}&date={tomorrow_at().date()}")
    assert response.status_code == 404
    assert "Saskia" not in words(response)


def test_secretary_of_two_doctors_changes_between_their_days() -> None:
    doctor, slots = a_day()
    second = make_doctor(name="Dr Zwart")
    secretary = make_secretary(doctor=doctor)
    second.secretaries.create(secretary=secretary)
    browser, day = signed_in(secretary), slots[0].starts_at.date()
    page = browser.get(f"/schedule/?doctor={second.pk}&date={day}")
    assert "Saskia" not in words(page)
    assert f"doctor={doctor.pk}" in page.content.decode()
    assert "Saskia" in words(browser.get(f"/schedule/?doctor={doctor.pk}&date={day}"))


@pytest.mark.parametrize(
    "query",
    ["date=x", "date=2026-02-30", "date=0001-01-01", "date=9999-12-31", "doctor=&date="],
)
def test_day_does_not_mind_a_date_that_means_nothing(query: str) -> None:
    doctor, _slots = a_day()
    page = signed_in(login_of(doctor)).get(f"/schedule/?{query}")
    assert page.status_code == 200
    assert "Today" in words(page)


@pytest.mark.parametrize("wanted", ["x", "0", "-1", "9" * 30])
def test_day_of_a_doctor_who_is_none_is_not_found(wanted: str) -> None:
    doctor, _slots = a_day()
    assert signed_in(login_of(doctor)).get(f"/schedule/?doctor={wanted}").status_code == 404


def test_today_is_the_day_of_the_clinic(time_machine) -> None:
    """15:30 UTC is half past midnight in Tokyo."""
    clinic = make_clinic(time_zone="Asia/Tokyo", country="JP")
    doctor = make_doctor(clinic=clinic)
    user = login_of(doctor)
    tomorrow = tomorrow_at(15, 30)
    slots = make_slots(doctor=doctor, starts_at=tomorrow + timedelta(hours=8))
    make_appointment(slots=slots, patient_name="Early Bird")
    browser = signed_in(user)
    time_machine.move_to(tomorrow, tick=False)
    assert "Early Bird" in words(browser.get("/schedule/"))
    time_machine.move_to(tomorrow - timedelta(hours=1), tick=False)
    assert "Early Bird" not in words(browser.get("/schedule/"))


def test_htmx_gets_the_day_that_the_whole_page_holds() -> None:
    doctor, slots = a_day()
    browser, path = signed_in(login_of(doctor)), f"/schedule/?date={slots[0].starts_at.date()}"
    page, fragment = browser.get(path), browser.get(path, headers=HTMX)
    assert is_whole_page(page)
    assert not is_whole_page(fragment)
    assert swapped(fragment) in words(page)


def test_longer_day_costs_no_more_queries() -> None:
    doctor, slots = a_day()
    browser, path = signed_in(login_of(doctor)), f"/schedule/?date={slots[0].starts_at.date()}"
    counts = []
    for hour in (12, 15):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        counts.append(len(queries))
        for slot in make_slots(doctor=doctor, starts_at=tomorrow_at(hour), count=5):
            make_appointment(slots=[slot])
    assert counts[0] == counts[1]


def test_name_of_a_patient_is_escaped_wherever_it_is_shown() -> None:
    script = "<script>alert(1)</script>"
    visit_type, slots = bookable()
    names = {"first_name": script, "last_name": script, "email": "x@example.test"}
    appointment = book(slots[0], visit_type=visit_type, holder=guest(), **names)
    doctor_side = signed_in(login_of(visit_type.doctor))
    patient_side = signed_in(appointment.patient)
    pages = [
        doctor_side.get(f"/schedule/?date={slots[0].starts_at.date()}"),
        patient_side.get("/appointments/"),
        patient_side.get(f"/appointments/{appointment.pk}/"),
    ]
    for page in pages:
        assert page.status_code == 200
        assert script not in page.content.decode()


def test_past_visit_offers_to_book_again_and_no_calendar_file() -> None:
    patient = make_patient()
    past = visit(patient, days=-2, status="completed")
    make_visit_type(doctor=past.doctor)
    assert past.ends_at < timezone.now()
    listed = signed_in(patient).get("/appointments/?tab=past").content.decode()
    assert f"/doctors/{past.doctor.slug}/" in listed
    shown = signed_in(patient).get(f"/appointments/{past.pk}/").content.decode()
    assert "calendar.ics" not in shown


@pytest.mark.parametrize("part", ["", "cancel/", "reschedule/"])
def test_link_of_a_mail_leads_somebody_signed_out_to_a_code(part: str) -> None:
    """Whether such a visit exists or not; a guest has never chosen a password."""
    for pk in (visit(make_patient()).pk, "01985f3e-0000-7000-8000-000000000001"):
        path = f"/appointments/{pk}/{part}"
        asked = Client().get(path)
        assert asked.headers["Location"] == f"/accounts/login/code/?next={path}"
        assert "Sign in to see your visit." in words(Client().get(asked.headers["Location"]))


def test_who_looks_for_their_visits_is_told_that_no_password_is_needed() -> None:
    page = Client().get("/appointments/", follow=True)
    assert "Booked without a password? Get a code by e-mail" in words(page)
    assert "Booked without" not in words(Client().get("/accounts/login/?next=/schedule/"))


def test_visit_that_can_no_longer_be_changed_says_why_and_which_number_to_call() -> None:
    visit_type, slots = bookable(change_notice_minutes=5 * 24 * 60)
    patient = make_patient()
    mine = make_appointment(slots=slots[:1], visit_type=visit_type, patient=patient)
    page = signed_in(patient).get(f"/appointments/{mine.pk}/")
    said = "Online changes close 120 hours before. Call the clinic: +31 30 555 0142"
    assert said in words(page)
    Doctor.objects.update(change_notice_minutes=60)
    assert said not in words(signed_in(patient).get(f"/appointments/{mine.pk}/"))


@pytest.mark.parametrize("status", ["cancelled", "rescheduled"])
def test_address_of_the_confirmation_stops_saying_confirmed_when_it_is_not(status: str) -> None:
    mine = visit(make_patient())
    browser = signed_in(mine.patient)
    assert "Your appointment is confirmed" in words(
        browser.get(f"/appointments/{mine.pk}/?confirmed=1")
    )
    Appointment.objects.filter(pk=mine.pk).update(status=status, version=2)
    assert "Your appointment is confirmed" not in words(
        browser.get(f"/appointments/{mine.pk}/?confirmed=1")
    )


@pytest.mark.parametrize(("status", "word"), [("cancelled", "Cancelled"), ("rescheduled", "Moved")])
def test_visit_that_is_off_is_struck_through_and_says_so(status: str, word: str) -> None:
    patient = make_patient()
    off, kept = visit(patient, days=3, status=status), visit(patient, days=4)
    browser = signed_in(patient)
    listed = browser.get("/appointments/?tab=cancelled")
    assert "appointment-off" in listed.content.decode()
    assert word in words(listed).partition("Dr Emma Visser")[2]
    assert not re.search(r"in \d+ days?", words(listed))
    page = browser.get(f"/appointments/{off.pk}/")
    assert re.search(r"<h1><s>\w+day \d+ \w+( \d{4})?</s></h1>", page.content.decode())
    assert "visit-off" in page.content.decode()
    assert f"<title>{word}: " in page.content.decode()
    for alive in ("Where to go", "pay at the clinic", "calendar.ics", "openstreetmap"):
        assert alive not in page.content.decode()
    for path in ("/appointments/", f"/appointments/{kept.pk}/"):
        assert not re.search("(visit|appointment)-off|<s>", browser.get(path).content.decode())


def test_visit_that_was_moved_leads_to_its_new_time_and_not_to_a_second_booking() -> None:
    patient = make_patient()
    now = visit(patient, days=4)
    was = visit(patient, days=3, status="rescheduled", replaced_by=now.pk)
    for path in ("/appointments/?tab=cancelled", f"/appointments/{was.pk}/"):
        page = signed_in(patient).get(path)
        assert f'href="/appointments/{now.pk}/"' in page.content.decode()
        assert "Moved to" in words(page)
        assert "Book again" not in words(page)
    assert "See the new time" in words(page)


@pytest.mark.parametrize(
    ("status", "said"), [("cancelled", "(cancelled since)"), ("rescheduled", "(moved again since)")]
)
def test_visit_that_was_moved_says_when_its_new_time_is_off_too(status: str, said: str) -> None:
    patient = make_patient()
    now = visit(patient, days=4)
    was = visit(patient, days=3, status="rescheduled", replaced_by=now.pk)
    browser = signed_in(patient)
    paths = ("/appointments/?tab=cancelled", f"/appointments/{was.pk}/")
    assert not any(said in words(browser.get(path)) for path in paths)
    Appointment.objects.filter(pk=now.pk).update(status=status, version=2)
    for path in paths:
        assert said in words(browser.get(path))
        assert "<s>Moved to" in browser.get(path).content.decode()
    assert "See the new time" not in words(browser.get(paths[1]))


@pytest.mark.parametrize("status", ["completed", "no_show"])
def test_visit_that_is_over_does_not_look_as_if_it_was_to_come(status: str) -> None:
    patient = make_patient()
    over = visit(patient, days=-3, status=status)
    page = signed_in(patient).get(f"/appointments/{over.pk}/")
    assert "visit-past" in page.content.decode()
    assert "pay at the clinic" not in words(page)
    assert "Book again" in words(page)


def test_held_move_says_that_the_visit_has_not_moved_yet() -> None:
    visit_type, slots = bookable()
    patient = make_patient()
    mine = book(slots[0], visit_type=visit_type, holder=Holder(patient=patient))
    hold_instead(mine, slots[2])
    listed = words(signed_in(patient).get("/appointments/"))
    assert "Your visit has not moved to this time yet:" in listed
    assert "You have not confirmed this time yet:" not in listed


def test_nobody_is_said_to_call_about_a_visit_that_is_off() -> None:
    doctor = make_doctor()
    by_phone = make_visit_type(doctor=doctor, mode="phone")
    off = make_appointment(slots=make_slots(doctor=doctor), visit_type=by_phone, status="cancelled")
    browser = signed_in(off.patient)
    for path in ("/appointments/?tab=cancelled", f"/appointments/{off.pk}/"):
        assert "calls you" not in words(browser.get(path))


def test_time_that_waits_for_its_code_can_be_gone_on_with_from_the_list() -> None:
    patient = make_patient()
    visit_type, slots = bookable(count=2)
    hold = take(slots[0], visit_type=visit_type, holder=Holder(patient=patient))
    browser = signed_in(patient)
    page = browser.get("/appointments/")
    start, until = (at.astimezone(hold.clinic.zone) for at in (hold.starts_at, hold.expires_at))
    assert "You have not confirmed this time yet:" in words(page)
    assert f"{start:%H:%M}, Dr Emma Visser. Held until {until:%H:%M} ." in words(page)
    assert f'href="/book/{hold.pk}/"' in page.content.decode()
    assert (
        f"/book/{hold.pk}/" not in signed_in(make_patient()).get("/appointments/").content.decode()
    )
    let_expire(hold)
    assert "not confirmed" not in words(browser.get("/appointments/"))


@pytest.mark.parametrize("moves", [False, True])
def test_offer_is_found_without_its_mail(moves: bool) -> None:
    patient = make_patient()
    visit_type, slots = bookable(count=2)
    entry = make_waitlist_entry(doctor=visit_type.doctor, visit_type=visit_type, patient=patient)
    later = visit(patient, days=9)
    offer = make_hold(
        slots=slots[:1],
        visit_type=visit_type,
        patient=patient,
        waitlist_entry=entry,
        replaces=later.pk if moves else None,
    )
    page = signed_in(patient).get("/appointments/")
    assert ("An earlier time" if moves else "A time") + " is held for you" in words(page)
    instead = later.starts_at.astimezone(later.zone)
    assert (f"It would replace {day_said(instead, month='%B')}, " in words(page)) is moves
    link = f"/waitlist/offers/{offer_token(offer)}/"
    assert f'href="{link}"' in page.content.decode()
    assert Client().get(link).status_code == 200


def test_times_that_are_held_cost_the_list_no_more_queries() -> None:
    patient, counts = make_patient(), []
    browser = signed_in(patient)
    for days in (2, 3, 4):
        visit_type, _none = bookable(count=0)
        slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=days))
        make_hold(slots=slots, visit_type=visit_type, patient=patient)
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/appointments/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] == counts[2]
