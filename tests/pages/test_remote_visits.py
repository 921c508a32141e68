"""A visit by video or phone: no page, mail or calendar sends anybody to the clinic."""

import re

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from icalendar import Calendar

from bookings import tasks
from bookings.appointments.presentation import view_of
from bookings.models import Appointment, Hold
from docbook.outbox.models import OutboxMessage
from tests.bookings.acts import as_patient, book, bookable, guest
from tests.factories import make_clinic, make_patient, make_visit_type
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db

STREET = "Maliebaan 42"
HOW = {"video": "The clinic sends you the link", "phone": "Dr Emma Visser calls you"}
each_remote_mode = pytest.mark.parametrize("mode", HOW)


def booked(mode: str) -> Appointment:
    first, slots = bookable(clinic=make_clinic(directions="Second door on the left"))
    visit_type = make_visit_type(doctor=first.doctor, mode=mode)
    return book(slots[0], visit_type=visit_type, holder=guest())


def confirmation() -> EmailMultiAlternatives:
    """The mail that the booking has asked for."""
    asked = OutboxMessage.objects.get(topic="appointment.confirmed")
    tasks.send_confirmation([asked.pk, asked.handed_out])
    return mail.outbox[-1]


@each_remote_mode
def test_remote_visit_says_how_the_two_meet_and_shows_no_way_to_the_clinic(mode: str) -> None:
    visit = booked(mode)
    page = signed_in(visit.patient).get(f"/appointments/{visit.pk}/")
    assert HOW[mode] in words(page)
    assert "About the clinic" in words(page)
    for sent_there in ("Where to go", "Directions", "five minutes early", "pay at the clinic"):
        assert sent_there not in words(page)
    assert 'class="map"' not in page.content.decode()
    assert "Second door" not in words(page)


def test_visit_in_person_shows_the_way_to_the_clinic() -> None:
    visit = booked("in_person")
    page = signed_in(visit.patient).get(f"/appointments/{visit.pk}/")
    for sent_there in ("Where to go", "Directions", "five minutes early", "pay at the clinic"):
        assert sent_there in words(page)
    assert 'class="map"' in page.content.decode()
    assert "Second door" in words(page)


def test_phone_visit_says_which_number_will_ring() -> None:
    visit = booked("phone")
    page = signed_in(visit.patient).get(f"/appointments/{visit.pk}/")
    assert "Dr Emma Visser calls you on +31 6 5550 1234." in words(page)


@pytest.mark.parametrize("mode", ["phone", "video"])
def test_doctor_who_calls_needs_a_number_to_call(mode: str) -> None:
    first, slots = bookable()
    visit_type = make_visit_type(doctor=first.doctor, mode=mode)
    browser = signed_in(make_patient(phone=""))
    asked = browser.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk}, follow=True)
    assert ("Dr Emma Visser calls you on this number." in words(asked)) == (mode == "phone")
    answer = browser.post(asked.request["PATH_INFO"], {"first_name": "Noor", "last_name": "Bakker"})
    assert answer.status_code == (422 if mode == "phone" else 302)
    assert ("Enter your phone number." in words(answer)) == (mode == "phone")


def test_name_that_says_how_the_two_meet_is_not_followed_by_the_same_word() -> None:
    first, slots = bookable()
    visit_type = make_visit_type(doctor=first.doctor, mode="phone", name="Advice by phone")
    browser, patient = signed_in(), make_patient()
    tap = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    held = browser.post("/book/", tap, follow=True)
    visit = book(slots[2], visit_type=visit_type, holder=as_patient(patient))
    browser = signed_in(patient)
    pages = [browser.get(path) for path in ("/appointments/", f"/appointments/{visit.pk}/")]
    for page in (held, *pages):
        assert "Advice by phone" in words(page)
        assert ", phone" not in words(page)


def test_move_of_a_phone_visit_asks_for_the_number_that_is_missing() -> None:
    first, slots = bookable()
    patient = make_patient(phone="")
    visit_type = make_visit_type(doctor=first.doctor, mode="phone")
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    Hold.objects.filter(pk=visit.pk).update(phone="")  # booked before numbers were asked for
    tap = {"slot": slots[2].pk, "visit_type": visit_type.pk, "replaces": visit.pk}
    moved = signed_in(patient).post("/book/", tap, follow=True)
    assert "Who is coming?" in words(moved)
    assert "Dr Emma Visser calls you on this number." in words(moved)


@each_remote_mode
def test_list_of_appointments_names_no_street_for_a_remote_visit(mode: str) -> None:
    page = signed_in(booked(mode).patient).get("/appointments/")
    assert HOW[mode] in words(page)
    assert STREET not in words(page)


@each_remote_mode
def test_ticket_names_no_street_while_a_remote_visit_is_booked(mode: str) -> None:
    first, slots = bookable()
    visit_type = make_visit_type(doctor=first.doctor, mode=mode)
    page = signed_in().post(
        "/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk}, follow=True
    )
    assert HOW[mode] in words(page)
    assert STREET not in words(page)


@each_remote_mode
def test_confirmation_mail_of_a_remote_visit_has_no_address_and_no_map(mode: str) -> None:
    booked(mode)
    message = confirmation()
    html = str(message.alternatives[0][0])
    for body in (str(message.body), html):
        assert HOW[mode] in body
        assert STREET not in body
        assert "openstreetmap" not in body


@each_remote_mode
def test_calendars_name_no_address_and_no_number_of_a_remote_visit(mode: str) -> None:
    visit = booked(mode)
    file = signed_in(visit.patient).get(f"/appointments/{visit.pk}/calendar.ics")
    (event,) = Calendar.from_ical(file.content).walk("VEVENT")
    assert HOW[mode] in event["LOCATION"]
    view = view_of(visit, now=timezone.now(), phone="+31 6 5550 1234")
    for where in (event["LOCATION"], view.google_url, view.outlook_url):
        assert "Maliebaan" not in where
        assert "5550" not in where


def test_numbers_of_the_clinic_can_be_called_by_a_tap() -> None:
    visit = booked("in_person")
    page = signed_in(visit.patient).get(f"/appointments/{visit.pk}/").content.decode()
    assert len(re.findall(r'href="tel:\+31305550142"', page)) == 2
    doctor = signed_in().get(f"/doctors/{visit.doctor.slug}/").content.decode()
    assert 'href="tel:+31305550142"' in doctor
