"""A practice moves or renames while somebody is confirming, and tells its patients."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from bookings.appointments.services.amendments import amend_visits
from bookings.holding.services.confirmation import confirm_booking
from bookings.invariants.checks import check_invariants
from bookings.models import Appointment, Hold
from docbook.audit.models import AuditEvent
from docbook.audit.services import Actor
from doctors.models import Clinic, VisitType
from doctors.templatetags.clinic_time import moment_in_full
from tests.api.client import Api
from tests.bookings.acts import as_patient, attempt, bookable, code_of, guest, let_expire
from tests.bookings.receiving import receive
from tests.concurrency.rush import rush
from tests.factories import make_admin, make_patient
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db
DETAILS = {"first_name": "Saskia", "last_name": "Kuipers", "email": "saskia@example.test"}


def moved_away(hold: Hold) -> Clinic:
    Clinic.objects.filter(pk=hold.clinic_id).update(street="Neude 5", postcode="3512 AD")
    return Clinic.objects.get(pk=hold.clinic_id)


def tell(source: Clinic | VisitType) -> int:
    return amend_visits(source=source, by=Actor("staff", 1), now=timezone.now())


def held() -> Hold:
    visit_type, slots = bookable()
    return attempt(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))


def confirmed(hold: Hold) -> Appointment:
    holder = as_patient(hold.patient)
    return confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))


def test_time_that_is_held_becomes_a_visit_at_the_new_address() -> None:
    hold = held()
    tell(moved_away(hold))
    assert confirmed(hold).street == "Neude 5"
    event = AuditEvent.objects.get(action="hold.updated")
    assert (event.before["street"], event.after["street"]) != ("Neude 5", "Neude 5")
    assert event.after == {"street": "Neude 5", "postcode": "3512 AD"}
    assert (event.object_type, event.object_id) == ("hold", str(hold.pk))
    assert [str(each.finding) for each in check_invariants() if each.is_broken] == []


def test_time_that_is_held_has_the_new_name_of_the_reason_and_the_price_that_was_agreed() -> None:
    hold = held()
    VisitType.objects.filter(pk=hold.visit_type_id).update(name="Mole check", price_cents=1)
    tell(VisitType.objects.get(pk=hold.visit_type_id))
    visit = confirmed(hold)
    assert (visit.visit_name, visit.price_cents) == ("Mole check", hold.price_cents)


def test_what_nobody_has_told_patients_of_leaves_a_hold_as_it_was() -> None:
    hold = held()
    moved_away(hold)
    assert confirmed(hold).street == hold.street != "Neude 5"


def test_hold_that_is_over_stays_what_it_was() -> None:
    hold = held()
    let_expire(hold)
    tell(moved_away(hold))
    assert Hold.objects.get(pk=hold.pk).street == hold.street


def code_page() -> tuple[Client, Hold, dict[str, str]]:
    """A browser at the page for the code, and the fields of its form."""
    visit_type, slots = bookable()
    browser = Client()
    data = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    page = browser.post("/book/", data).headers["Location"]
    browser.post(page, DETAILS)
    hold = Hold.objects.get()
    html = browser.get(f"{page}code/").content.decode()
    (seen,) = re.findall(r'name="seen" value="(\w+)"', html)
    return browser, hold, {"seen": seen, "code": code_of(hold)}


def test_page_that_shows_the_old_address_books_nothing_before_the_new_one_is_seen() -> None:
    browser, hold, form = code_page()
    tell(moved_away(hold))
    answer = browser.post(f"/book/{hold.pk}/code/", form)
    assert answer.status_code == 409
    assert "The practice has just changed this visit." in words(answer)
    assert "Neude 5, 3512 AD" in words(answer)
    assert not Appointment.objects.exists()
    hold.refresh_from_db()
    assert hold.otp_attempts == 0
    (seen,) = re.findall(r'name="seen" value="(\w+)"', answer.content.decode())
    browser.post(f"/book/{hold.pk}/code/", form | {"seen": seen})
    assert Appointment.objects.get().street == "Neude 5"


def test_page_whose_clinic_has_another_clock_now_says_the_time_by_that_clock() -> None:
    browser, hold, form = code_page()
    Clinic.objects.filter(pk=hold.clinic_id).update(time_zone="America/New_York")
    tell(Clinic.objects.get(pk=hold.clinic_id))
    answer = browser.post(f"/book/{hold.pk}/code/", form)
    assert answer.status_code == 409
    when = moment_in_full(hold.starts_at, "America/New_York")
    assert f"It is now: {when}, {hold.visit_name}, {hold.place.name}" in words(answer)
    assert "New York time" in when
    assert when != moment_in_full(hold.starts_at, hold.time_zone)


def test_page_that_shows_what_is_agreed_books_at_once() -> None:
    browser, hold, form = code_page()
    assert browser.post(f"/book/{hold.pk}/code/", form).status_code == 302
    assert Appointment.objects.filter(pk=hold.pk).exists()


def test_app_is_answered_with_the_new_address() -> None:
    patient, (visit_type, slots) = make_patient(), bookable()
    api = Api(patient)
    started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()
    hold = Hold.objects.get(pk=started["attemptId"])
    tell(moved_away(hold))
    assert "Neude 5" in api.verify(hold.pk, code_of(hold)).json()["address"]


def test_admin_can_tell_of_a_change_that_only_a_hold_waits_for() -> None:
    hold = held()
    clinic = moved_away(hold)
    browser = signed_in(make_admin())
    page = f"/admin/bookings/appointment/outdated/clinic/{clinic.pk}/"
    (digest,) = re.findall(r'name="digest" value="(\w+)"', browser.get(page).content.decode())
    browser.post(page, {"digest": digest})
    receive("visits.outdated")
    assert confirmed(hold).street == "Neude 5"


@pytest.mark.django_db(transaction=True)
def test_visits_confirmed_while_patients_are_told_all_say_the_new_address() -> None:
    visit_type, slots = bookable(count=6)
    holders = [guest() for _ in slots]
    holds = [
        attempt(slot, visit_type=visit_type, holder=holder, email=f"guest-{slot.pk}@example.test")
        for slot, holder in zip(slots, holders, strict=True)
    ]
    clinic = moved_away(holds[0])

    def act(number: int) -> Any:
        if number == len(holds):
            return tell(clinic)
        code = code_of(holds[number])
        return confirm_booking(hold_id=holds[number].pk, holder=holders[number], code=code)

    outcomes = rush(act, list(range(len(holds) + 1)))
    assert not [each for each in outcomes if isinstance(each, Exception)]
    connection.close()
    assert set(Appointment.objects.values_list("street", flat=True)) == {"Neude 5"}
