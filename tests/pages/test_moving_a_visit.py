"""The page on which the practice moves a visit."""

import re
from typing import Any

import pytest
from django.test import Client

from bookings.models import Appointment
from doctors.models import Slot, SlotState
from tests.factories import (
    make_appointment,
    make_doctor,
    make_secretary,
    make_slots,
    make_user,
    tomorrow_at,
)
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db


def a_visit(**doctor: Any) -> tuple[Appointment, list[Slot], Client]:
    slots = make_slots(doctor=make_doctor(**doctor), starts_at=tomorrow_at(days=3), count=4)
    visit = make_appointment(slots=slots[:1], patient_name="Hanna Lindqvist")
    return visit, slots, signed_in(make_secretary(doctor=visit.doctor))


def page(visit: Appointment) -> str:
    return f"/schedule/visits/{visit.pk}/move/"


def asked(chosen: Slot, **fields: Any) -> dict[str, Any]:
    return {"slot": chosen.pk, "version": 1, "reason": "Dr Visser is ill", **fields}


def test_visit_moves_and_the_day_shows_it_at_its_new_time() -> None:
    visit, slots, browser = a_visit()
    assert f'id="slot-{slots[2].pk}"' in browser.get(page(visit)).content.decode()
    answer = browser.post(page(visit), asked(slots[2]), follow=True)
    assert "The patient is told." in words(answer)
    moved = Appointment.objects.get(replaces=visit.pk)
    assert moved.starts_at == slots[2].starts_at
    assert str(moved.pk) in answer.redirect_chain[-1][0]


def test_reason_and_time_are_asked_for_at_their_fields_and_what_was_typed_stays() -> None:
    visit, slots, browser = a_visit()
    without_reason = browser.post(page(visit), asked(slots[2], reason=" "))
    assert without_reason.status_code == 422
    assert "Say why: the patient is told." in words(without_reason)
    assert is_chosen(slots[2], on=without_reason)
    without_time = browser.post(page(visit), asked(slots[2], slot=""))
    assert "Choose a time." in words(without_time)
    assert "Dr Visser is ill" in words(without_time)


def test_time_that_patients_cannot_book_says_so_and_needs_a_tick() -> None:
    visit, slots, browser = a_visit(min_notice_minutes=6 * 24 * 60)
    assert "Too soon for patients to book" in words(browser.get(page(visit)))
    refused = browser.post(page(visit), asked(slots[2]))
    assert refused.status_code == 422
    assert "Tick this if it shall be that time." in words(refused)
    assert browser.post(page(visit), asked(slots[2], anyway="on")).status_code == 302


def test_time_that_was_just_taken_is_refused_with_the_fresh_list() -> None:
    visit, slots, browser = a_visit()
    Slot.objects.filter(pk=slots[2].pk).update(state=SlotState.BLOCKED)
    answer = browser.post(page(visit), asked(slots[2]))
    assert answer.status_code == 409
    assert "This time was just taken." in words(answer)
    assert f'id="slot-{slots[3].pk}"' in answer.content.decode()
    assert f'id="slot-{slots[2].pk}"' not in answer.content.decode()


def test_visit_that_has_changed_meanwhile_is_shown_as_it_is() -> None:
    visit, slots, browser = a_visit()
    answer = browser.post(page(visit), asked(slots[2], version=7))
    assert answer.status_code == 412
    assert "changed a moment ago" in words(answer)


def test_visit_that_can_no_longer_be_moved_leads_to_the_visit() -> None:
    visit, slots, browser = a_visit()
    Appointment.objects.filter(pk=visit.pk).update(status="arrived", version=2)
    assert browser.get(page(visit))["Location"] == f"/schedule/visits/{visit.pk}/"
    assert browser.post(page(visit), asked(slots[2]))["Location"].endswith(f"/{visit.pk}/")


def is_chosen(slot: Slot, *, on: Any) -> bool:
    found = re.search(rf'<input[^>]*id="slot-{slot.pk}"[^>]*>', on.content.decode())
    assert found
    return "checked" in found[0]


def minutes(slot: Slot) -> int:
    here = slot.starts_at.astimezone(slot.clinic.zone)
    return here.hour * 60 + here.minute


def dropped(browser: Client, visit: Appointment, at: object) -> Any:
    day = visit.starts_at.astimezone(visit.zone).date()
    return browser.get(page(visit), {"date": day.isoformat(), "at": str(at)})


def test_visit_that_is_dropped_on_a_free_time_has_it_chosen() -> None:
    visit, slots, browser = a_visit()
    assert is_chosen(slots[2], on=dropped(browser, visit, minutes(slots[2]) + 5))


def test_visit_that_is_dropped_on_a_conflict_is_told_all_of_it_and_nothing_is_chosen() -> None:
    visit, slots, browser = a_visit()
    make_appointment(slots=slots[2:3])
    elsewhere = make_slots(doctor=make_doctor(), starts_at=slots[2].starts_at)
    make_appointment(slots=elsewhere, patient=visit.patient)
    answer = dropped(browser, visit, minutes(slots[2]))
    assert "The doctor has another visit then. The patient has another visit then." in words(answer)
    assert not is_chosen(slots[1], on=answer)


def test_visit_that_needs_more_than_there_is_free_is_told_so() -> None:
    visit, slots, browser = a_visit()
    visit_type = visit.visit_type
    visit_type.buffer_slots = 1
    visit_type.save()
    make_appointment(slots=slots[3:])
    answer = dropped(browser, visit, minutes(slots[2]))
    assert "With its pause it does not fit there" in words(answer)


@pytest.mark.parametrize("at", ["-5", "1440", "99999", "nine", ""])
def test_drop_on_no_time_of_the_day_shows_the_day(at: str) -> None:
    visit, _slots, browser = a_visit()
    assert dropped(browser, visit, at).status_code == 200


def test_person_of_another_practice_finds_nothing() -> None:
    visit, slots, _browser = a_visit()
    stranger = signed_in(make_doctor(user=make_user()).user)
    assert stranger.get(page(visit)).status_code == 404
    assert stranger.post(page(visit), asked(slots[2])).status_code == 404
