"""The page behind the link of an offer, for people who read the patient's mail."""

import re
from datetime import time
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.signing import Signer
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings.appointments.selectors.appointments import contact_of
from bookings.appointments.services.changes import cancel_appointment
from bookings.engine.links import offer_token
from bookings.errors import OtpInvalid, OtpLocked
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold, HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS
from bookings.waitlist.services.entries import leave_waitlist
from docbook.http.problems import STATUS_BY_CODE
from doctors.models import Mode
from tests.bookings.acts import as_patient, let_expire, take, wrong_code
from tests.bookings.waitlist.acts import awaited, in_line, release, run_out
from tests.factories import (
    make_appointment,
    make_doctor,
    make_patient,
    make_slots,
    tomorrow_at,
)
from tests.journeys.doors import words
from tests.pages.browser import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_quiet_hours(settings) -> None:
    settings.WAITLIST_QUIET_HOURS = (time(0), time(0))


@pytest.fixture
def offer() -> Hold:
    visit_type, slots = awaited()
    in_line(visit_type, count=1)
    (made,) = release(*slots)
    return made


def url(offer: Hold, step: str = "") -> str:
    return f"/waitlist/offers/{offer_token(offer)}/{step}"


def post(offer: Hold, step: str, **options: bool) -> HttpResponse:
    return Client().post(url(offer, step), **options)


def test_offer_can_be_answered_from_the_list_of_appointments(offer: Hold) -> None:
    page = signed_in(offer.patient).get("/appointments/").content.decode()
    for step in ("accept/", "decline/"):
        assert f'action="{url(offer, step)}"' in page


def test_page_says_what_is_held_and_until_when(offer: Hold) -> None:
    text = words(Client().get(url(offer)))
    start = offer.starts_at.astimezone(offer.clinic.zone)
    until = offer.expires_at.astimezone(offer.clinic.zone)
    for fact in ("A time is held for you", f"Held for you until {until:%H:%M}", f"{start:%H:%M}"):
        assert fact in text
    assert offer.email not in text
    assert offer.last_name not in text


def test_looking_takes_nothing(offer: Hold) -> None:
    """Mail programs open links before anybody reads them."""
    for step in ("", "accept/", "decline/"):
        response = Client().get(url(offer, step))
        assert response.status_code == (405 if step else 200)
    offer.refresh_from_db()
    assert offer.state == HoldState.HELD


def test_taken_time_is_an_appointment_and_the_link_says_so(offer: Hold) -> None:
    response = post(offer, "accept/")
    assert (response.status_code, response.headers["Location"]) == (302, url(offer))
    assert Appointment.objects.get().pk == offer.pk
    taken = Client().get(url(offer))
    assert "This time is yours" in words(taken)
    assert "ticket-off" not in taken.content.decode()
    assert post(offer, "accept/").status_code == 302
    assert Appointment.objects.count() == 1


def test_link_does_not_sign_anybody_in(offer: Hold) -> None:
    browser = Client()
    browser.post(url(offer, "accept/"))
    path = f"/appointments/{offer.pk}/"
    assert browser.get(path).headers["Location"] == f"/accounts/login/code/?next={path}"


@pytest.mark.parametrize("what", ["doctor", "visit_type"])
def test_offer_that_cannot_be_booked_any_more_asks_nobody_to_take_it(
    offer: Hold, what: str
) -> None:
    found = getattr(offer, what)
    found.is_active = False
    found.save()
    page = Client().get(url(offer))
    assert page.status_code == 200
    assert "This time can no longer be booked" in words(page)
    assert "Take this time" not in words(page)
    assert "Held for you until" not in words(page)
    leads_on = f'href="/doctors/{offer.doctor.slug}/"' in page.content.decode()
    assert leads_on is (what == "visit_type")
    late = post(offer, "accept/")
    assert late.status_code == STATUS_BY_CODE["hold-expired"]
    assert "This time can no longer be booked" in words(late)
    assert not Appointment.objects.exists()


def test_declined_time_is_given_back_and_its_patient_stays_on_the_list(offer: Hold) -> None:
    assert post(offer, "decline/").status_code == 302
    offer.refresh_from_db()
    assert offer.state == HoldState.RELEASED
    page = Client().get(url(offer))
    assert "You let this time go" in words(page)
    assert "You are still on the list." in words(page)
    assert "ticket-off" in page.content.decode()
    assert f'href="/doctors/{offer.doctor.slug}/"' in page.content.decode()


@pytest.mark.parametrize("swept", [False, True])
def test_time_that_ran_out_went_to_the_next_person(offer: Hold, swept: bool) -> None:
    (run_out if swept else let_expire)(offer)
    assert "This time went to the next person" in words(Client().get(url(offer)))
    response = post(offer, "accept/")
    assert response.status_code == 410
    assert "This time went to the next person You are still on the list." in words(response)
    assert not Appointment.objects.exists()
    assert post(offer, "decline/").status_code == 302


def test_who_goes_on_waiting_is_told_between_which_hours_we_write(offer: Hold, settings) -> None:
    settings.WAITLIST_QUIET_HOURS = (time(21), time(8))
    said = "We write between 08:00 and 21:00, the clinic's local time"
    assert said not in words(Client().get(url(offer)))
    post(offer, "decline/")
    assert said in words(Client().get(url(offer)))
    settings.WAITLIST_QUIET_HOURS = (time(0), time(0))
    assert "We write between" not in words(Client().get(url(offer)))


def test_who_has_left_the_list_is_not_told_to_be_on_it(offer: Hold) -> None:
    leave_waitlist(entry_id=offer.waitlist_entry_id, patient=offer.patient)
    text = words(Client().get(url(offer)))
    assert "You let this time go" in text
    assert "still on the list" not in text


def test_patient_who_is_busy_then_is_told_and_can_still_decline(offer: Hold) -> None:
    make_appointment(
        slots=make_slots(doctor=make_doctor(), starts_at=offer.starts_at), patient=offer.patient
    )
    response = post(offer, "accept/")
    assert response.status_code == 409
    assert "You already have a visit at that time." in words(response)
    assert "No, thank you" in words(response)


def test_patient_with_as_many_visits_ahead_as_allowed_is_told_and_can_still_decline(
    offer: Hold, settings
) -> None:
    settings.COMING_VISITS_PER_PATIENT = 1
    make_appointment(
        slots=make_slots(doctor=make_doctor(), starts_at=offer.ends_at), patient=offer.patient
    )
    response = post(offer, "accept/")
    assert response.status_code == 409
    assert "You already have an upcoming visit." in words(response)
    assert "No, thank you" in words(response)


def test_five_wrong_codes_by_the_api_are_told_as_what_they_are(offer: Hold) -> None:
    for _ in range(MAX_CODE_ATTEMPTS):
        with pytest.raises((OtpInvalid, OtpLocked)):
            confirm_booking(
                hold_id=offer.pk, holder=as_patient(offer.patient), code=wrong_code(offer)
            )
    response = post(offer, "accept/")
    assert response.status_code == STATUS_BY_CODE["otp-locked"]
    for page in (response, Client().get(url(offer))):
        assert "Five wrong codes were entered for it" in words(page)
        assert "Too many requests" not in words(page)
        assert "You let this time go" not in words(page)
    assert not Appointment.objects.exists()


def test_visit_that_would_be_moved_is_named(offer: Hold) -> None:
    visit = make_appointment(
        slots=make_slots(doctor=offer.doctor, starts_at=offer.ends_at), patient=offer.patient
    )
    Hold.objects.filter(pk=offer.pk).update(replaces=visit.pk)
    text = words(Client().get(url(offer)))
    start = visit.starts_at.astimezone(visit.clinic.zone)
    assert "An earlier time is held for you" in text
    assert re.search(
        rf"You keep \w+ \d+ \w+(?: \d{{4}})?, {start:%H:%M} with Dr Emma Visser unless you", text
    )
    confirmed = words(post(offer, "accept/", follow=True))
    assert "Your visit has moved" in confirmed
    assert "You keep" not in confirmed


def test_offer_that_ended_with_the_visit_it_would_move_says_so(
    offer: Hold, django_capture_on_commit_callbacks
) -> None:
    """Its patient has let nothing go, and no longer waits."""
    later = make_slots(doctor=offer.doctor, starts_at=tomorrow_at(days=9))
    visit = make_appointment(slots=later, patient=offer.patient, visit_type=offer.visit_type)
    Hold.objects.filter(pk=offer.pk).update(replaces=visit.pk)
    with django_capture_on_commit_callbacks(execute=True):
        cancel_appointment(
            appointment_id=visit.pk,
            by=as_patient(offer.patient),
            version=1,
            now=timezone.now(),
        )
    text = words(Client().get(url(offer)))
    assert "The visit it would have replaced was moved or cancelled" in text
    assert "You let this time go" not in text
    assert "still on the list" not in text


def test_clock_runs_while_the_time_is_offered_and_stops_with_the_answer(offer: Hold) -> None:
    shown = Client().get(url(offer)).content.decode()
    left = int(re.search(r'data-hold="(\d+)"', shown)[1])
    assert settings.OFFER_SECONDS - 60 < left <= settings.OFFER_SECONDS
    assert f'pathLength="{settings.OFFER_SECONDS}"' in shown
    assert "while you decide" in shown
    post(offer, "decline/")
    assert "data-hold" not in Client().get(url(offer)).content.decode()


def test_link_that_we_have_not_signed_leads_nowhere(offer: Hold) -> None:
    visit_type, slots = awaited()
    no_offer = take(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    forged = [
        offer.pk.hex,
        f"{offer.pk.hex}:forged",
        Signer(salt="another").sign(offer.pk.hex),
        Signer(salt="bookings.offer").sign(uuid4().hex),
        Signer(salt="bookings.offer").sign("no id"),
        offer_token(no_offer),
    ]
    for token in forged:
        assert Client().get(f"/waitlist/offers/{token}/").status_code == 404, token
        assert Client().post(f"/waitlist/offers/{token}/accept/").status_code == 404, token


def test_link_needs_the_form_of_its_page(offer: Hold) -> None:
    """Another site must not send somebody's answer for them."""
    assert Client(enforce_csrf_checks=True).post(url(offer, "accept/")).status_code == 403


def test_visit_by_phone_is_taken_with_a_number_where_none_is_known(offer: Hold) -> None:
    Hold.objects.filter(pk=offer.pk).update(mode=Mode.PHONE)
    asked = Client().get(url(offer))
    assert "calls you on this number" in words(asked)
    for typed in ("", "call me"):
        refused = Client().post(url(offer, "accept/"), {"phone": typed})
        assert refused.status_code == 422
        assert 'aria-invalid="true"' in refused.content.decode()
    assert not Appointment.objects.exists()
    Client().post(url(offer, "accept/"), {"phone": "030 555 0177"})
    assert contact_of(Appointment.objects.get()).phone == "030 555 0177"


def test_visit_by_phone_asks_for_no_number_that_is_known(offer: Hold) -> None:
    Hold.objects.filter(pk=offer.pk).update(mode=Mode.PHONE, phone="030 555 0177")
    assert "calls you on this number" not in words(Client().get(url(offer)))
    assert post(offer, "accept/").status_code == 302


def test_closed_account_takes_nothing_and_is_told_so(offer: Hold) -> None:
    User.objects.filter(pk=offer.patient_id).update(is_active=False)
    refused = post(offer, "accept/")
    assert refused.status_code == STATUS_BY_CODE["unauthenticated"]
    assert "The account with this e-mail address is disabled." in words(refused)
    assert not Appointment.objects.exists()


def test_tap_on_the_time_that_is_offered_to_oneself_leads_to_the_offer(offer: Hold) -> None:
    tap = {"slot": offer.slot_ids[0], "visit_type": offer.visit_type_id}
    browser = signed_in(offer.patient)
    page = browser.post("/book/", tap)
    assert page.status_code == 409
    assert "You are already holding this time" in words(page)
    shown = browser.get(f"/book/{offer.pk}/code/", follow=True)
    assert "A time is held for you" in words(shown)


@pytest.mark.parametrize("typed", ["", "call me", "030 555 0177"])
def test_late_answer_to_an_offer_by_phone_is_told_that_it_is_over(offer: Hold, typed: str) -> None:
    Hold.objects.filter(pk=offer.pk).update(mode=Mode.PHONE)
    let_expire(offer)
    late = Client().post(url(offer, "accept/"), {"phone": typed})
    assert late.status_code == 410
    assert "This time went to the next person" in words(late)
    assert 'aria-invalid="true"' not in late.content.decode()
