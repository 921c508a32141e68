"""In the night when clocks go back, an hour is shown twice. Every place says which one it means."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from bookings.models import Appointment
from bookings.notifications.letters.offers import offer_of
from bookings.notifications.letters.visits import confirmation
from bookings.notifications.text_messages import code as text_with_code
from doctors.models import Slot, VisitType
from doctors.templatetags.clinic_time import clock
from tests.bookings.acts import as_patient, attempt, book, bookable, guest, take
from tests.bookings.telling import told
from tests.factories import (
    make_clinic,
    make_doctor,
    make_hold,
    make_patient,
    make_slots,
    make_user,
    make_visit_type,
    make_waitlist_entry,
)
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Night:
    """`starts_at` is the start of the repeated hour; `first` and `second` name its two passes."""

    zone: str
    starts_at: datetime
    first: str
    second: str


def next_night() -> Night:
    """The next one, in the half of the world where it comes sooner: within about 200 days."""
    days = [
        timezone.now().replace(minute=0, second=0, microsecond=0) + n * HOUR
        for n in range(48, 9000)
    ]
    names = {"Europe/Amsterdam": ("CEST", "CET"), "Australia/Sydney": ("AEDT", "AEST")}
    found = []
    for zone, (first, second) in names.items():
        local = [day.astimezone(ZoneInfo(zone)).replace(minute=0) for day in days]
        again = next(each for each in local if each.fold == 1)
        found.append(Night(zone, again.astimezone(UTC) - HOUR, first, second))
    return min(found, key=lambda night: night.starts_at)


@pytest.fixture
def night() -> Night:
    return next_night()


def open_at(night: Night) -> tuple[VisitType, list[Slot]]:
    """02:00 02:20 02:40 02:00 02:20 02:40 03:00 on the clock of the clinic."""
    clinic = make_clinic(time_zone=night.zone)
    doctor = make_doctor(clinic=clinic, slot_minutes=20, horizon_days=365)
    visit_type = make_visit_type(doctor=doctor)
    return visit_type, make_slots(doctor=doctor, starts_at=night.starts_at, count=7)


def booked(night: Night) -> Appointment:
    """From 02:40 to 02:00."""
    visit_type, slots = open_at(night)
    return book(slots[2], visit_type=visit_type, holder=as_patient(make_patient()))


def day(night: Night) -> str:
    return str(night.starts_at.astimezone(ZoneInfo(night.zone)).date())


def spans(night: Night) -> tuple[str, str]:
    return f"02:40 {night.first}", f"02:00 {night.second}"


def test_each_time_of_the_picker_says_which_of_the_two_hours_it_is_in(night: Night) -> None:
    visit_type, _slots = open_at(night)
    page = signed_in().get(f"/doctors/{visit_type.doctor.slug}/?date={day(night)}")
    shown, html = words(page), page.content.decode()
    for name in (night.first, night.second):
        for minute in ("00", "20", "40"):
            assert f"02:{minute} {name}" in shown
    start, end = spans(night)
    assert f", {start} to {end}, Dr Emma Visser" in html
    assert f", 02:40 {night.second} to 03:00, Dr Emma Visser" in html


def test_the_heading_of_such_a_day_names_no_clock_that_is_wrong_for_half_of_it(
    night: Night,
) -> None:
    visit_type, _slots = open_at(night)
    page = words(signed_in().get(f"/doctors/{visit_type.doctor.slug}/?date={day(night)}"))
    place = night.zone.rpartition("/")[2]
    assert f"{place} time" in page
    assert f"{place} time (" not in page


def test_the_card_of_a_doctor_says_it_too(night: Night) -> None:
    open_at(night)
    page = signed_in().get(f"/doctors/?available_on={day(night)}").content.decode()
    start, end = spans(night)
    assert f"{start} to {end}" in page


def test_a_held_time_says_it_on_each_of_its_pages(night: Night) -> None:
    visit_type, slots = open_at(night)
    patient = make_patient()
    hold = take(slots[2], visit_type=visit_type, holder=as_patient(patient))
    start, end = spans(night)
    page = words(signed_in(patient).get(f"/book/{hold.pk}/"))
    assert f"{start} – {end}" in page
    assert start in words(signed_in(patient).get("/appointments/"))


def test_a_booked_visit_says_it_on_its_page_and_in_the_lists(night: Night) -> None:
    visit = booked(night)
    start, end = spans(night)
    page = signed_in(visit.patient).get(f"/appointments/{visit.pk}/")
    assert f"{start} – {end}" in words(page)
    assert f"{start}, Dr Emma Visser · DocBook</title>" in page.content.decode()
    assert start in words(signed_in(visit.patient).get("/appointments/"))
    assert start in words(signed_in(visit.patient).get(f"/appointments/{visit.pk}/cancel/"))


def test_the_doctors_day_says_it(night: Night) -> None:
    visit = booked(night)
    visit.doctor.user = make_user()
    visit.doctor.save()
    page = words(signed_in(visit.doctor.user).get(f"/schedule/?date={day(night)}"))
    start, end = spans(night)
    assert f"{start} –{end}" in page


def test_the_confirmation_says_it_in_subject_text_and_html(night: Night) -> None:
    visit = booked(night)
    letter = confirmation(told(visit), now=timezone.now())
    start, end = spans(night)
    assert f", {start}, Dr Emma Visser" in letter.subject
    assert f"{start} – {end}" in letter.body
    assert f"{start} – {end}" in " ".join(str(letter.alternatives[0][0]).split())


def test_an_offer_of_the_waitlist_says_it_in_subject_text_and_html(night: Night) -> None:
    visit_type, slots = open_at(night)
    patient = make_patient()
    entry = make_waitlist_entry(patient=patient, doctor=visit_type.doctor, visit_type=visit_type)
    offer = make_hold(
        slots=slots[2:3], visit_type=visit_type, patient=patient, waitlist_entry=entry,
        email=patient.email,
    )  # fmt: skip
    letter = offer_of(offer)
    start, end = spans(night)
    assert f", {start}, Dr Emma Visser" in letter.subject
    for text in (letter.body, " ".join(str(letter.alternatives[0][0]).split())):
        assert f"{start} – {end}" in text


def test_a_refusal_names_the_hour_that_was_taken_and_those_that_are_free(night: Night) -> None:
    visit_type, slots = open_at(night)
    attempt(slots[2], visit_type=visit_type, holder=guest())
    Slot.objects.filter(pk=slots[3].pk).update(state="open")
    book(slots[3], visit_type=visit_type, holder=guest(), email="other@example.test")
    tap = {"slot": slots[3].pk, "visit_type": visit_type.pk}
    page = words(signed_in(make_patient()).post("/book/", tap))
    assert f"02:00 {night.second} was just taken by somebody else." in page
    assert f"Hold 02:20 {night.second}" in page


def test_the_text_message_with_a_code_says_until_when_in_such_an_hour(
    night: Night,
) -> None:
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=guest())
    zone = hold.clinic.zone
    hold.expires_at = night.starts_at
    expected = clock(night.starts_at, zone)
    text = text_with_code(hold, to="+31655501234")
    assert f"Valid until {expected}." in text.words
