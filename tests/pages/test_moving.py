"""Moving a visit on the pages: a tap holds, the code confirms; until then the old time stays."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment
from bookings.appointments.services.moves import move_appointment
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold
from docbook.outbox.models import OutboxMessage
from doctors.models import Doctor, Slot
from tests.bookings.acts import as_patient, book, bookable, code_of, let_expire
from tests.bookings.traces import traces
from tests.factories import (
    make_appointment,
    make_clinic,
    make_hold,
    make_patient,
    make_secretary,
    make_slots,
    tomorrow_at,
)
from tests.limits import allow
from tests.pages.browser import offered_slots, signed_in, typed, words

pytestmark = pytest.mark.django_db


def booked(**doctor: Any) -> tuple[User, Appointment, list[Slot]]:
    """A visit in three days at 09:00 UTC, and the slots of that morning: the first is its own."""
    patient = make_patient()
    visit_type, _tomorrow = bookable(count=0, **doctor)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=4)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    OutboxMessage.objects.all().delete()
    return patient, visit, slots


def tap(browser: Any, visit: Appointment, slot: Slot, **more: Any) -> HttpResponse:
    data = {"slot": slot.pk, "visit_type": visit.visit_type_id, "replaces": visit.pk}
    return browser.post("/book/", data | more)


def clock(moment: Slot | Appointment) -> str:
    return f"{moment.starts_at.astimezone(moment.clinic.zone):%H:%M}"


def test_tap_holds_the_new_time_and_sends_the_code_without_asking_again() -> None:
    patient, visit, slots = booked()
    browser = signed_in(patient)
    offered = browser.get(f"/appointments/{visit.pk}/reschedule/")
    assert offered_slots(offered) == [slot.pk for slot in slots[1:]]
    response = browser.post("/book/", {**typed(offered), "slot": slots[2].pk})
    hold = Hold.objects.get(replaces=visit.pk)
    assert response.headers["Location"] == f"/book/{hold.pk}/code/"
    assert (hold.first_name, hold.last_name) == ("Saskia", "Kuipers")
    assert hold.reason == "A rash on the elbow"
    assert hold.email == patient.email
    assert [m.topic for m in OutboxMessage.objects.all()] == ["otp.requested"]
    visit.refresh_from_db()
    assert visit.status == "confirmed"


@pytest.mark.parametrize("page", ["", "code/"])
def test_every_step_shows_the_time_that_is_kept(page: str) -> None:
    patient, visit, slots = booked()
    browser = signed_in(patient)
    tap(browser, visit, slots[2])
    hold = Hold.objects.get(replaces=visit.pk)
    shown = browser.get(f"/book/{hold.pk}/{page}")
    assert f"{clock(visit)} until the new one is confirmed" in words(shown)


@pytest.mark.parametrize("page", ["", "code/"])
def test_every_step_speaks_of_moving_and_not_of_a_booking(page: str) -> None:
    patient, visit, slots = booked()
    browser = signed_in(patient)
    tap(browser, visit, slots[2])
    hold = Hold.objects.get(replaces=visit.pk)
    shown = browser.get(f"/book/{hold.pk}/{page}")
    assert 'href="/appointments/" aria-current="page"' in shown.content.decode()
    text = words(shown)
    for said in ("Move your visit", "New time", "Your visit moves to", "Give the new time back"):
        assert said in text
    assert "You are booking" not in text
    if page:
        assert "to move the visit" in text
        assert "Move the visit" in text
        assert "Your details" not in text
        assert "Confirm booking" not in text


def test_right_code_moves_the_visit_and_shows_where_it_came_from() -> None:
    patient, visit, slots = booked()
    browser = signed_in(patient)
    tap(browser, visit, slots[2])
    hold = Hold.objects.get(replaces=visit.pk)
    done = browser.post(f"/book/{hold.pk}/code/", {"code": code_of(hold)}, follow=True)
    assert done.redirect_chain == [(f"/appointments/{hold.pk}/?confirmed=1", 302)]
    assert "Your appointment has moved." in words(done)
    assert re.search(rf"Moved from \w+ \d+ \w+(?: \d{{4}})?, {clock(visit)}", words(done))
    was = browser.get(f"/appointments/{visit.pk}/")
    assert re.search(rf"Moved to \w+ \d+ \w+(?: \d{{4}})?, {clock(slots[2])}", words(was))
    visit.refresh_from_db()
    assert (visit.status, visit.replaced_by) == ("rescheduled", hold.pk)
    states = Slot.objects.filter(doctor=visit.doctor).order_by("starts_at")
    assert [slot.state for slot in states] == ["open", "open", "booked", "open"]


def test_time_given_back_leads_to_the_other_times_for_the_same_visit() -> None:
    patient, visit, slots = booked()
    browser = signed_in(patient)
    tap(browser, visit, slots[2])
    hold = Hold.objects.get(replaces=visit.pk)
    response = browser.post(f"/book/{hold.pk}/release/")
    day = slots[2].starts_at.date()
    assert response.headers["Location"] == f"/appointments/{visit.pk}/reschedule/?date={day}"
    assert browser.get(response.headers["Location"]).status_code == 200


def test_lost_race_shows_the_other_times_and_they_still_move_the_visit() -> None:
    patient, visit, slots = booked()
    make_appointment(slots=slots[2:3])
    browser = signed_in(patient)
    before = traces()
    refused = tap(browser, visit, slots[2])
    assert refused.status_code == 409
    assert f"{clock(slots[2])} was just taken by somebody else." in words(refused)
    assert "Move your visit" in words(refused)
    assert typed(refused)["replaces"] == str(visit.pk)
    html = refused.content.decode()
    assert html.count(f'name="replaces" value="{visit.pk}"') == 1 + len(
        re.findall(r"Hold \d\d:\d\d", html)
    )
    assert traces() == before


def test_hold_that_has_run_out_offers_to_hold_the_time_for_the_move_again() -> None:
    patient, visit, slots = booked()
    browser = signed_in(patient)
    tap(browser, visit, slots[2])
    hold = Hold.objects.get(replaces=visit.pk)
    let_expire(hold)
    over = browser.post(f"/book/{hold.pk}/code/", {"code": code_of(hold)})
    assert over.status_code == 410
    assert "It is still free. Hold it again?" in words(over)
    alert = over.content.decode().partition('role="alert"')[2].partition("doctor-head")[0]
    assert f'name="replaces" value="{visit.pk}"' in alert
    visit.refresh_from_db()
    assert visit.status == "confirmed"


def test_one_hold_too_many_can_be_given_back_on_the_way_to_the_move() -> None:
    patient, visit, slots = booked()
    for days in (6, 7, 8):
        make_hold(
            slots=make_slots(doctor=visit.doctor, starts_at=tomorrow_at(days=days)), patient=patient
        )
    browser = signed_in(patient)
    refused = tap(browser, visit, slots[2])
    assert refused.status_code == 409
    then = typed(refused)["next"]
    assert then.startswith(f"/appointments/{visit.pk}/reschedule/")
    kept = Hold.objects.filter(state="held").first()
    assert kept is not None
    back = browser.post(f"/book/{kept.pk}/release/", {"next": then})
    assert back.headers["Location"] == then


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ("too late", 422, "Online changes close 240 hours before."),
        ("cancelled", 409, "This visit is already cancelled."),
    ],
)
def test_visit_that_can_no_longer_be_moved_holds_nothing(
    change: str, status: int, said: str
) -> None:
    patient, visit, slots = booked()
    if change == "too late":
        Doctor.objects.update(change_notice_minutes=10 * 24 * 60)
    else:
        Appointment.objects.filter(pk=visit.pk).update(status="cancelled", version=2)
    before = traces()
    refused = tap(signed_in(patient), visit, slots[2])
    assert refused.status_code == status
    assert said in words(refused)
    assert traces() == before


@pytest.mark.parametrize("who", ["another patient", "guest"])
def test_stranger_cannot_move_a_visit(who: str) -> None:
    _patient, visit, slots = booked()
    browser = signed_in(make_patient() if who == "another patient" else None)
    before = traces()
    assert tap(browser, visit, slots[2]).status_code == 404
    assert tap(browser, visit, slots[2], replaces="x").status_code == 400
    assert traces() == before


def test_visit_that_was_cancelled_meanwhile_is_shown_instead_of_moved() -> None:
    patient, visit, slots = booked()
    browser = signed_in(patient)
    tap(browser, visit, slots[2])
    hold = Hold.objects.get(replaces=visit.pk)
    Appointment.objects.filter(pk=visit.pk).update(status="cancelled", version=2)
    response = browser.post(f"/book/{hold.pk}/code/", {"code": code_of(hold)})
    assert response.status_code == 409
    assert "This visit is already cancelled." in words(response)
    assert not Appointment.objects.filter(pk=hold.pk).exists()


@pytest.mark.parametrize("page", ["", "code/"])
@pytest.mark.parametrize("change", ["cancelled", "moved"])
def test_page_of_an_attempt_that_ended_with_its_visit_shows_the_visit(
    page: str, change: str, django_capture_on_commit_callbacks
) -> None:
    """And not "your time is over, pick another": that would book a second visit."""
    patient, visit, slots = booked()
    browser = signed_in(patient)
    tap(browser, visit, slots[2])
    hold = Hold.objects.get(replaces=visit.pk)
    secretary = PracticeMember(make_secretary(doctor=visit.doctor))
    asked = {"appointment_id": visit.pk, "by": secretary, "version": 1, "now": timezone.now()}
    with django_capture_on_commit_callbacks(execute=True):
        if change == "cancelled":
            cancel_appointment(**asked, reason="Ill.")
        else:
            move_appointment(**asked, reason="Ill.", slot_id=slots[3].pk)
    shown = browser.get(f"/book/{hold.pk}/{page}")
    assert shown.status_code == 409
    says = {"cancelled": "This visit is already cancelled", "moved": "This visit has already moved"}
    assert says[change] in words(shown)
    assert f"It has not moved to {slots[2].starts_at:%a}" in words(shown)
    assert offered_slots(shown) == []


def test_details_are_asked_for_where_the_old_hold_knows_no_name() -> None:
    patient, visit, slots = booked()
    Hold.objects.filter(pk=visit.pk).update(first_name="", last_name="")
    browser = signed_in(patient)
    response = tap(browser, visit, slots[2])
    hold = Hold.objects.get(replaces=visit.pk)
    assert response.headers["Location"] == f"/book/{hold.pk}/"
    page = browser.get(response.headers["Location"])
    assert typed(page)["reason"] == "A rash on the elbow"
    assert not OutboxMessage.objects.exists()


def test_move_that_sends_no_code_does_not_count_as_a_request_for_one(monkeypatch) -> None:
    allow(monkeypatch, code=1, code_user=1)
    patient, visit, slots = booked()
    Hold.objects.filter(pk=visit.pk).update(first_name="", last_name="")
    browser = signed_in(patient)
    page = browser.get(tap(browser, visit, slots[2]).headers["Location"])
    names = {"first_name": "Saskia", "last_name": "Kuipers", "email": patient.email}
    response = browser.post(page.request["PATH_INFO"], names)
    assert response.headers["Location"].endswith("/code/")


def test_guest_who_has_just_booked_moves_the_visit_in_the_same_browser() -> None:
    visit_type, _none = bookable(count=0, change_notice_minutes=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=2)
    known = make_patient(email="known@example.test")  # an account that a code does not open
    known.last_login = timezone.now()
    known.save()
    browser = signed_in()
    browser.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    holder = Holder(guest_key=Hold.objects.get().guest_key)
    names = {"first_name": "Noor", "last_name": "Bakker", "email": known.email}
    hold = Hold.objects.get()
    browser.post(f"/book/{hold.pk}/", names)
    browser.post(f"/book/{hold.pk}/code/", {"code": code_of(hold)})
    visit = Appointment.objects.get(pk=hold.pk)
    tap(browser, visit, slots[1])
    moved = Hold.objects.get(replaces=visit.pk)
    assert (moved.guest_key, moved.email) == (holder.guest_key, known.email)
    browser.post(f"/book/{moved.pk}/code/", {"code": code_of(moved)})
    assert Appointment.objects.get(pk=moved.pk).replaces == visit.pk


def test_page_of_a_visit_that_the_practice_has_moved_says_why_and_leads_to_the_new_one() -> None:
    patient, visit, slots = booked()
    secretary = PracticeMember(make_secretary(doctor=visit.doctor))
    new = move_appointment(
        appointment_id=visit.pk,
        slot_id=slots[2].pk,
        by=secretary,
        version=1,
        reason="A conference <b>on hips</b>",
        now=timezone.now(),
    )
    page = signed_in(patient).get(f"/appointments/{visit.pk}/")
    said = f"{visit.doctor.name} has to move this visit: A conference <b>on hips</b>"
    assert said in words(page)
    assert f'href="/appointments/{new.pk}/"' in page.content.decode()


def test_guest_moves_a_visit_with_the_address_of_the_visit_only() -> None:
    """A code to another address would open another account, which does not own the visit."""
    browser = Client()
    visit_type, _tomorrow = bookable(count=0, change_notice_minutes=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=4)
    asked = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    details_page = browser.post("/book/", asked).headers["Location"]
    given = {"first_name": "Ana", "last_name": "Horvat", "email": "ana@example.test"}
    browser.post(details_page, given)
    old = Hold.objects.get()
    confirm_booking(hold_id=old.pk, holder=Holder(guest_key=old.guest_key), code=code_of(old))
    visit = Appointment.objects.get()
    moving = browser.post("/book/", {**asked, "slot": slots[2].pk, "replaces": str(visit.pk)})
    hold = Hold.objects.get(replaces=visit.pk)
    assert moving.headers["Location"] == f"/book/{hold.pk}/code/"
    other = browser.post(f"/book/{hold.pk}/", {**given, "email": "someone.else@example.test"})
    assert other.status_code == 422
    assert "A visit that moves keeps the address it was booked with." in words(other)
    hold.refresh_from_db()
    assert (hold.email, hold.otp_resends) == ("ana@example.test", 0)


@pytest.mark.parametrize("to", [1, 3])
def test_own_time_that_overlaps_the_old_one_is_shown_as_yours_where_it_begins(to: int) -> None:
    """In the picker of the visit that moves. In the doctor's own picker, nobody could have that
    time.
    """
    patient = make_patient()
    visit_type, _tomorrow = bookable(count=0, slots=2)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=6)
    visit = book(slots[2], visit_type=visit_type, holder=as_patient(patient))
    browser = signed_in(patient)
    assert tap(browser, visit, slots[to]).status_code == 302
    way_back = f"/book/{Hold.objects.get(replaces=visit.pk).pk}/code/"
    page = browser.get(f"/appointments/{visit.pk}/reschedule/")
    assert re.findall(r"(\d\d:\d\d) yours", words(page)) == [clock(slots[to])]
    assert f'href="{way_back}"' in page.content.decode()
    day = f"{slots[0].starts_at.astimezone(slots[0].clinic.zone):%Y-%m-%d}"
    others = words(browser.get(f"/doctors/{visit_type.doctor.slug}/?date={day}"))
    assert "yours" not in others
    assert "on hold" not in others


@pytest.mark.parametrize("where", ["same clinic", "another clinic"])
def test_reason_moves_with_the_visit_inside_its_clinic_only(where: str) -> None:
    patient, visit, slots = booked()
    Hold.objects.filter(pk=visit.pk).update(reason="A rash on the elbow")
    if where == "another clinic":
        Slot.objects.filter(pk=slots[2].pk).update(clinic=make_clinic())
    tap(signed_in(patient), visit, slots[2])
    carried = "A rash on the elbow" if where == "same clinic" else ""
    hold = Hold.objects.get(replaces=visit.pk)
    assert (hold.reason, hold.code_sent_at is not None) == (carried, True)
