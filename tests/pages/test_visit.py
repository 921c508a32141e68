"""What a doctor and their secretaries do with a visit on the schedule."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bookings.models import Appointment, VisitNote
from docbook.audit.models import AuditEvent
from docbook.outbox.models import OutboxMessage
from doctors.models import SlotState
from tests.bookings.acts import book, bookable, guest
from tests.factories import make_appointment, make_doctor, make_secretary, make_slots, make_user
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db


def a_visit(**fields: Any) -> Appointment:
    doctor = make_doctor(user=make_user())
    return make_appointment(slots=make_slots(doctor=doctor), patient_name="Wilma Wacht", **fields)


def secretary_of(visit: Appointment) -> Client:
    return signed_in(make_secretary(doctor=visit.doctor, first_name="Carla", last_name="Smit"))


def press(browser: Client, visit: Appointment, act: str, **fields: Any) -> Any:
    data = {"act": act, "version": visit.version, **fields}
    response = browser.post(f"/schedule/visits/{visit.pk}/act/", data)
    visit.refresh_from_db()
    return response


def page_of(browser: Client, visit: Appointment) -> str:
    return words(browser.get(f"/schedule/visits/{visit.pk}/"))


def write(browser: Client, visit: Appointment, text: str, *, version: int = 0) -> Any:
    data = {"text": text, "version": version}
    return browser.post(f"/schedule/visits/{visit.pk}/note/", data)


def test_day_is_run_by_one_button_after_the_other() -> None:
    visit = a_visit()
    browser = secretary_of(visit)
    for act, status in (
        ("no-show", "no_show"),
        ("undo", "confirmed"),
        ("arrived", "arrived"),
        ("completed", "completed"),
        ("undo", "arrived"),
    ):
        assert press(browser, visit, act).status_code == 302
        assert visit.status == status
    assert visit.version == 6
    shown = page_of(browser, visit)
    assert "Marked “arrived” by Carla Smit" in shown


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        ("confirmed", ["Arrived", "Did not come", "Cancel visit"]),
        ("arrived", ["Visit done", "Undo"]),
        ("no_show", ["Arrived", "Undo"]),
        ("completed", ["Undo"]),
        ("cancelled", []),
    ],
)
def test_only_what_can_be_done_has_a_button(status: str, buttons: list[str]) -> None:
    visit = a_visit(status=status)
    page = secretary_of(visit).get(f"/schedule/visits/{visit.pk}/").content.decode()
    names = ["Arrived", "Visit done", "Did not come", "Undo", "Cancel visit"]
    found = [name for name in names if f"<span>{name}</span>" in page]
    assert sorted(found) == sorted(buttons)


def test_button_leads_back_to_the_day_where_it_was_pressed() -> None:
    visit = a_visit()
    browser, day = secretary_of(visit), visit.starts_at.astimezone(visit.zone).date()
    page = browser.get(f"/schedule/?date={day}").content.decode()
    back = f"/schedule/?doctor={visit.doctor_id}&date={day}&visit={visit.pk}#visit-{visit.pk}"
    assert f'value="{back.replace("&", "&amp;")}"' in page
    assert press(browser, visit, "arrived", back=back)["Location"] == back
    again = browser.get(back.partition("#")[0]).content.decode()
    assert '<details class="entry entry-arrived" open>' in " ".join(again.split())


@pytest.mark.parametrize(
    "back", ["", "https://elsewhere.example/", "//elsewhere.example/", "/accounts/logout/"]
)
def test_button_leads_to_no_page_outside_of_the_schedule(back: str) -> None:
    visit = a_visit()
    response = press(secretary_of(visit), visit, "arrived", back=back)
    assert response["Location"] == f"/schedule/visits/{visit.pk}/"


def test_cancelling_needs_a_reason_that_the_patient_reads() -> None:
    visit_type, slots = bookable()
    visit = book(slots[0], visit_type=visit_type, holder=guest())
    browser = secretary_of(visit)
    refused = press(browser, visit, "cancel", reason=" ")
    assert refused.status_code == 422
    assert "Say why: the patient is told." in words(refused)
    assert visit.status == "confirmed"
    assert press(browser, visit, "cancel", reason="The doctor is ill").status_code == 302
    assert (visit.status, visit.change_reason) == ("cancelled", "The doctor is ill")
    slots[0].refresh_from_db()
    assert slots[0].state == SlotState.OPEN
    assert OutboxMessage.objects.filter(topic="appointment.cancelled").count() == 1


def test_what_somebody_else_has_just_changed_is_shown_and_not_changed_again() -> None:
    visit = a_visit()
    browser = secretary_of(visit)
    press(browser, visit, "no-show")
    visit.version = 1
    refused = press(browser, visit, "cancel", reason="The doctor is ill")
    assert refused.status_code == 412
    assert "This visit was changed a moment ago." in words(refused)
    assert visit.status == "no_show"


def test_act_that_does_not_exist_is_a_message_and_no_fault() -> None:
    visit = a_visit()
    assert press(secretary_of(visit), visit, "delete").status_code == 422
    assert visit.status == "confirmed"


def test_note_is_kept_and_only_the_practice_reads_it() -> None:
    visit = a_visit()
    browser = secretary_of(visit)
    assert write(browser, visit, "Check the patch test").status_code == 302
    assert "Check the patch test" in page_of(browser, visit)
    patient = signed_in(visit.patient)
    assert "patch test" not in words(patient.get(f"/appointments/{visit.pk}/"))
    [event] = AuditEvent.objects.filter(action="note.written")
    assert "patch" not in f"{event.before}{event.after}"


def test_note_of_two_people_at_once_loses_neither_text() -> None:
    visit = a_visit()
    first, second = secretary_of(visit), secretary_of(visit)
    write(first, visit, "Mine")
    refused = write(second, visit, "Theirs")
    assert refused.status_code == 412
    assert VisitNote.objects.get().text == "Mine"
    shown = refused.content.decode()
    assert "“Mine”" in words(refused)
    assert ">\nTheirs</textarea>" in shown
    assert 'name="version" value="1"' in shown
    assert write(second, visit, "Mine, theirs", version=1).status_code == 302
    assert VisitNote.objects.get().text == "Mine, theirs"


def test_note_that_is_too_long_keeps_what_was_typed() -> None:
    visit = a_visit()
    refused = write(secretary_of(visit), visit, "x" * 2001)
    assert refused.status_code == 422
    assert "x" * 2001 in refused.content.decode()
    assert not VisitNote.objects.exists()


def test_reading_of_a_visit_is_recorded() -> None:
    visit = a_visit()
    secretary_of(visit).get(f"/schedule/visits/{visit.pk}/")
    [event] = AuditEvent.objects.filter(action="patients.read")
    assert (event.object_id, event.actor_kind) == (str(visit.pk), "secretary")


def test_change_that_is_no_mark_is_not_called_one() -> None:
    visit = a_visit()
    Appointment.objects.filter(pk=visit.pk).update(
        version=2, changed_at=timezone.now(), changed_by_kind="system", street="Nieuwegracht 1"
    )
    shown = page_of(secretary_of(visit), visit)
    assert "Changed by DocBook, " in shown
    assert "Marked" not in shown
