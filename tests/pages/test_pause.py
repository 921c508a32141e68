"""While booking is paused, pages say so before anybody taps, and offer nothing that would fail."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.models import BookingPause, Hold
from doctors.models import VisitType
from tests.bookings.acts import bookable, let_expire
from tests.days_said import day_said
from tests.factories import make_appointment, make_patient, make_slots, tomorrow_at
from tests.pages.browser import HTMX, offered_slots, signed_in, words

pytestmark = pytest.mark.django_db


def pause(**fields: object) -> None:
    BookingPause.objects.create(**({"is_on": True, "message": "We move."} | fields))


def doctors_page(visit_type: VisitType, **options: object) -> HttpResponse:
    return signed_in().get(f"/doctors/{visit_type.doctor.slug}/", **options)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "swap"])
def test_doctors_page_says_why_and_until_when_and_offers_no_time(headers: dict[str, str]) -> None:
    visit_type, slots = bookable(count=3)  # all before noon, in summer too
    until = timezone.now() + timedelta(days=3)
    pause(until=until)
    page = doctors_page(visit_type, headers=headers)
    local = until.astimezone(visit_type.doctor.clinic.zone)
    end = f"{day_said(local)}, {local:%H:%M}"
    said = f"Booking is paused until {end}. We move. Your appointments are safe."
    assert words(page).count(said) == 1
    assert offered_slots(page) == []
    assert words(page).count("paused") == len(slots) + 2


def test_end_of_a_pause_on_the_same_day_is_only_a_time(time_machine) -> None:
    noon = tomorrow_at(11, days=2)
    visit_type, _slots = bookable()
    pause(until=noon + timedelta(hours=2))
    time_machine.move_to(noon, tick=False)
    local = (noon + timedelta(hours=2)).astimezone(visit_type.doctor.clinic.zone)
    assert f"paused until {local:%H:%M}." in words(doctors_page(visit_type))


@pytest.mark.parametrize("over", [{"is_on": False}, {"until": Now() - timedelta(seconds=1)}])
def test_pause_that_is_over_is_not_spoken_of(over: dict[str, object]) -> None:
    visit_type, slots = bookable()
    pause(**over)
    page = doctors_page(visit_type)
    assert "paused" not in words(page)
    assert offered_slots(page) == [slot.pk for slot in slots]


def test_refusal_of_a_tap_is_not_said_twice() -> None:
    visit_type, slots = bookable()
    pause()
    page = signed_in().post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    assert page.status_code == 503
    assert page.content.decode().partition("<main")[2].count("Booking is paused.") == 1
    assert offered_slots(page) == []


def test_time_that_was_lost_meanwhile_is_not_offered_again() -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    page = browser.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    let_expire(Hold.objects.get())
    pause()
    lost = browser.get(page.headers["Location"])
    assert lost.status_code == 410
    assert "Booking is paused." in words(lost)
    assert b'name="slot"' not in lost.content


def test_who_moves_a_visit_is_told_and_keeps_it() -> None:
    patient = make_patient()
    visit_type, slots = bookable(count=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=4), count=3)
    visit = make_appointment(slots=slots[:1], visit_type=visit_type, patient=patient)
    pause()
    page = signed_in(patient).get(f"/appointments/{visit.pk}/reschedule/")
    assert "Booking is paused. We move. Your appointments are safe." in words(page)
    assert "until the new one is confirmed" in words(page)
    assert offered_slots(page) == []


@pytest.mark.parametrize("path", ["/", "/doctors/"])
def test_pages_of_all_doctors_say_it_too_with_the_end_and_its_zone(path: str) -> None:
    bookable()
    pause()
    assert "Booking is paused. We move." in words(signed_in().get(path))
    until = timezone.now() + timedelta(days=3)
    BookingPause.objects.update(until=until)
    end = f"{day_said(until.date())}, {until:%H:%M} (UTC)"
    assert f"Booking is paused until {end}. We move." in words(signed_in().get(path))


def test_nothing_is_offered_as_free_while_nothing_can_be_held() -> None:
    visit_type, slots = bookable(count=3)  # all before noon, in summer too
    pause()
    listed, shown = signed_in().get("/doctors/"), doctors_page(visit_type)
    assert 'class="time time-free"' not in listed.content.decode()
    assert words(listed).count(" paused") == 1 + len(slots)
    assert "Next free:" not in words(shown)
    assert f"{len(slots)}, paused" in words(shown)


def test_asking_costs_a_page_of_a_doctor_one_query_however_many_times_it_has() -> None:
    counts = []
    pause()
    for count in (2, 20):
        visit_type, _slots = bookable(count=count)
        with CaptureQueriesContext(connection) as queries:
            doctors_page(visit_type)
        asked = [each for each in queries if "bookingpause" in each["sql"]]
        counts.append((len(queries), len(asked)))
    assert counts[0] == counts[1]
    assert counts[0][1] == 1


def test_other_pages_do_not_ask() -> None:
    with CaptureQueriesContext(connection) as queries:
        signed_in(make_patient()).get("/appointments/")
    assert not [each for each in queries if "bookingpause" in each["sql"]]
