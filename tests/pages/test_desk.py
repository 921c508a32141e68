"""The page of the desk: search, choose, book. Every step works without scripts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from bookings.models import Appointment, Hold
from docbook.audit.models import AuditEvent
from doctors.models import SecretaryAssignment
from tests.bookings.acts import as_patient, take
from tests.bookings.schedule.callers import Practice, make_practice
from tests.factories import make_doctor, make_patient, make_slots, make_visit_type
from tests.pages.browser import HTMX, is_whole_page, signed_in, typed, words

pytestmark = pytest.mark.django_db
DESK = "/schedule/desk/"


@pytest.fixture
def practice() -> Practice:
    made = make_practice()
    made.knows(first_name="Hanna", last_name="Lindqvist", phone="+31 6 5550 1234")
    return made


def browser_of(practice: Practice) -> Client:
    return signed_in(practice.secretary.user)


def checked(page: Any, name: str) -> list[str]:
    """The values of the radios of this name that are checked."""
    radios = re.findall(r"<input[^>]*>", page.content.decode())
    ours = [each for each in radios if f'name="{name}"' in each and " checked" in each]
    return [re.search(r'value="([^"]*)"', each)[1] for each in ours]  # type: ignore[index]


def search(browser: Client, text: str, **headers: str) -> Any:
    return browser.post(DESK, {"step": "find", "words": text}, headers=headers)


def filled_in(page: Any, **changes: str) -> dict[str, str]:
    """What the booking form sends as it stands."""
    shown = typed(page)
    kept = {name: shown[name] for name in ("booking", "shown_for", "words")}
    new = ("first_name", "last_name", "phone", "email", "born_on")
    radios = {name: "".join(checked(page, name)) for name in ("caller", "slot", "visit_type")}
    return {"step": "book"} | kept | {name: shown[name] for name in new} | radios | changes


def test_known_caller_is_booked_at_the_first_time(practice: Practice) -> None:
    browser = browser_of(practice)
    page = search(browser, "lindq")
    assert "Hanna Lindqvist" in words(page)
    assert checked(page, "slot") == [f"{practice.slots[0].pk}-{practice.visit_type.pk}"]
    answer = browser.post(DESK, filled_in(page), follow=True)
    visit = Appointment.objects.get(starts_at=practice.slots[0].starts_at)
    assert answer.redirect_chain == [(f"/schedule/visits/{visit.pk}/", 302)]
    assert visit.patient_name == "Hanna Lindqvist"
    assert "Booked. The patient gets a mail with a file for their calendar." in words(answer)


def test_new_caller_is_typed_once(practice: Practice) -> None:
    browser = browser_of(practice)
    page = search(browser, "Anna Smit 0655501235")
    assert "Nobody found: book a new patient" in words(page)
    assert checked(page, "caller") == ["new"]
    answer = browser.post(DESK, filled_in(page), follow=True)
    patient = User.objects.get(last_name="Smit")
    assert (patient.first_name, patient.phone, patient.email) == ("Anna", "0655501235", None)
    assert "We have no way to write to this patient: tell them yourself." in words(answer)


def test_page_of_their_visit_shows_no_mail_address(practice: Practice) -> None:
    visit = practice.books()
    shown = browser_of(practice).get(f"/schedule/visits/{visit.pk}/").content.decode()
    assert "mailto:" not in shown
    assert "None" not in shown


def test_enter_twice_books_once(practice: Practice) -> None:
    browser = browser_of(practice)
    form = filled_in(search(browser, "Anna Smit 0655501235"))
    first, second = browser.post(DESK, form), browser.post(DESK, form)
    assert first.url == second.url
    assert User.objects.filter(last_name="Smit").count() == 1


def test_lost_race_keeps_what_was_typed_and_shows_fresh_times(practice: Practice) -> None:
    browser = browser_of(practice)
    page = search(browser, "Anna Smit 0655501235")
    form = filled_in(page, reason="A rash")
    take(practice.slots[0], visit_type=practice.visit_type, holder=as_patient(make_patient()))
    answer = browser.post(DESK, form)
    assert answer.status_code == 409
    assert "was just taken by somebody else." in words(answer)
    assert typed(answer)["last_name"] == "Smit"
    assert typed(answer)["reason"] == "A rash"
    assert checked(answer, "slot") == [f"{practice.slots[1].pk}-{practice.visit_type.pk}"]
    assert browser.post(DESK, filled_in(answer)).status_code == 302


def test_times_of_another_choice_are_shown_before_anything_is_booked(practice: Practice) -> None:
    """Without scripts, somebody may choose another visit and press Enter."""
    long = make_visit_type(doctor=practice.doctor, slots=2, name="Long")
    browser = browser_of(practice)
    form = filled_in(search(browser, "lindq"), visit_type=str(long.pk))
    page = browser.post(DESK, form)
    assert page.status_code == 200
    assert Appointment.objects.filter(patient_name="Hanna Lindqvist").count() == 1
    assert checked(page, "visit_type") == [str(long.pk)]
    assert checked(page, "caller") == [form["caller"]]
    assert browser.post(DESK, filled_in(page)).status_code == 302
    assert Appointment.objects.filter(visit_name="Long").exists()


def test_busy_patient_is_told_at_once(practice: Practice) -> None:
    browser = browser_of(practice)
    patient = User.objects.get(last_name="Lindqvist")
    make_practice().books(patient)
    answer = browser.post(DESK, filled_in(search(browser, "lindq")))
    assert answer.status_code == 409
    assert "This patient has another visit at that time." in words(answer)


def test_new_caller_needs_a_name_and_a_way_to_be_reached(practice: Practice) -> None:
    browser = browser_of(practice)
    form = filled_in(search(browser, "nobody"), first_name="", last_name="Smit")
    answer = browser.post(DESK, form)
    assert answer.status_code == 422
    assert "Enter the first name." in words(answer)
    answer = browser.post(DESK, form | {"first_name": "Anna"})
    assert answer.status_code == 422
    assert "Give a phone number or an e-mail address." in words(answer)


def test_stranger_with_this_address_is_masked_and_can_be_chosen(practice: Practice) -> None:
    make_patient(first_name="Sanne", last_name="Mulder", email="sanne@mail.test")
    browser = browser_of(practice)
    page = search(browser, "sanne@mail.test")
    assert "S••• M•••" in words(page)
    assert "Mulder" not in page.content.decode()
    unchosen = browser.post(DESK, filled_in(page))
    assert "Choose who is calling." in words(unchosen)
    [key, _new] = re.findall(r'name="caller"\s+value="([^"]+)"', page.content.decode())
    browser.post(DESK, filled_in(page, caller=key))
    assert Appointment.objects.filter(patient_name="Sanne Mulder").count() == 1


def test_nobody_is_chosen_where_a_slip_was_forgiven(practice: Practice) -> None:
    page = search(browser_of(practice), "lindquist")
    assert "Hanna Lindqvist" in words(page)
    assert checked(page, "caller") == []


def test_search_with_a_character_that_no_text_has_is_answered(practice: Practice) -> None:
    assert search(browser_of(practice), "a@b\0c.de lindq").status_code == 200


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "tomorrow"])
def test_times_from_no_day_of_a_calendar_are_those_from_now(practice: Practice, day: str) -> None:
    asked = {"step": "times", "visit_type": str(practice.visit_type.pk), "from_on": day}
    answer = browser_of(practice).post(DESK, asked)
    assert answer.status_code == 200
    assert answer.context["times_form"].errors.keys() == {"from_on"}


def test_visit_by_phone_asks_for_the_number_that_a_known_patient_lacks(practice: Practice) -> None:
    User.objects.filter(last_name="Lindqvist").update(phone="")
    practice.visit_type.mode = "phone"
    practice.visit_type.save()
    browser = browser_of(practice)
    page = search(browser, "lindq")
    refused = browser.post(DESK, filled_in(page))
    assert refused.status_code == 422
    assert "The doctor calls: give a phone number." in words(refused)
    answer = browser.post(DESK, filled_in(refused, visit_phone="+31 6 5550 1299"))
    assert answer.status_code == 302
    hold = Hold.objects.get(pk=Appointment.objects.latest("created_at").pk)
    assert hold.phone.replace(" ", "") == "+31655501299"


def test_typing_swaps_the_callers_alone(practice: Practice) -> None:
    answer = search(browser_of(practice), "lindq", **HTMX)
    assert not is_whole_page(answer)
    assert "Hanna Lindqvist" in words(answer)
    assert "Next free times" not in words(answer)
    assert "autofocus" not in answer.content.decode()


def test_choosing_a_visit_swaps_the_times_and_reads_of_nobody(practice: Practice) -> None:
    asked = {"step": "times", "words": "lindq", "visit_type": str(practice.visit_type.pk)}
    answer = browser_of(practice).post(DESK, asked, headers=HTMX)
    assert "Next free times" in words(answer)
    assert "Lindqvist" not in words(answer)
    assert not AuditEvent.objects.filter(action="patients.read").exists()


def test_any_colleague_of_the_specialty_may_do_it(practice: Practice) -> None:
    colleague = make_doctor(specialty=practice.doctor.specialty, name="Dr Noor Bos")
    SecretaryAssignment.objects.create(doctor=colleague, secretary=practice.secretary.user)
    visit_type = make_visit_type(doctor=colleague, name=practice.visit_type.name)
    slot = make_slots(doctor=colleague)[0]
    browser = browser_of(practice)
    here = f"{DESK}?doctor={practice.doctor.pk}"
    form = filled_in(browser.post(here, {"step": "find", "words": "lindq"}))
    page = browser.post(here, form | {"step": "times", "anybody": "on"})
    assert "Dr Noor Bos" in words(page)
    sent = filled_in(page, slot=f"{slot.pk}-{visit_type.pk}", anybody="on")
    assert browser.post(here, sent).status_code == 302
    assert Appointment.objects.filter(doctor=colleague).count() == 1


def test_later_day_shows_later_times(practice: Practice) -> None:
    day = practice.slots[0].starts_at.date()
    asked = {"step": "times", "from_on": str(day + timedelta(days=365))}
    answer = browser_of(practice).post(DESK, asked)
    assert "No free time in the four weeks from this day." in words(answer)


def test_nobody_is_named_in_an_address(practice: Practice) -> None:
    page = browser_of(practice).get(f"{DESK}?words=lindq&step=find")
    assert "Hanna" not in words(page)
    assert 'method="get"' not in page.content.decode()


def test_time_and_visit_of_doctors_of_others_are_refused(practice: Practice) -> None:
    other = make_practice()
    browser = browser_of(practice)
    form = filled_in(search(browser, "lindq"))
    theirs = f"{other.slots[0].pk}-{other.visit_type.pk}"
    answer = browser.post(DESK, form | {"slot": theirs})
    assert answer.status_code == 422
    assert not Appointment.objects.filter(doctor=other.doctor).exists()


def test_day_leads_to_the_desk(practice: Practice) -> None:
    page = browser_of(practice).get("/schedule/")
    assert f'href="{DESK}?doctor={practice.doctor.pk}"' in page.content.decode()


@pytest.mark.parametrize("nonsense", [{}, {"step": "book"}, {"step": "x", "visit_type": "x"}])
def test_nonsense_shows_the_page(practice: Practice, nonsense: dict[str, str]) -> None:
    assert browser_of(practice).post(DESK, nonsense).status_code == 200
    assert browser_of(practice).post(DESK, nonsense, headers=HTMX).status_code == 200
