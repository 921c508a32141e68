"""What a page calls things, and where it shows a refusal."""

import re

import pytest

from bookings.models import Hold
from doctors.templatetags.clinic_time import zone_label
from tests.bookings.acts import bookable, guest, take
from tests.factories import (
    make_appointment,
    make_doctor,
    make_patient,
    make_slots,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("language=fi", "We do not know this language."),
        ("specialty=magic", "We do not know this specialty."),
        ("city=Nowhere", "We have no clinic in Nowhere."),
        ("available_on=12/31/2026", "When: Write the day like 2026-12-31."),
        ("city=Nowhere", "Where: We have no clinic in Nowhere."),
        ("order=bogus", "You can sort by Earliest, Lowest fee or Name."),
        ("q=" + "x" * 81, "Doctor or specialty: Write at most 80 characters."),
        ("max_fee=abc", "Write a whole number, like 60."),
        ("mode=pigeon", "A visit is in person, by video or by phone."),
    ],
)
def test_filter_that_means_nothing_is_refused_in_our_own_words(query: str, said: str) -> None:
    bookable()
    page = words(signed_in().get(f"/doctors/?{query}&language=xx"))
    assert said in page
    assert "Select a valid choice" not in page


@pytest.mark.parametrize(
    ("field", "typed"),
    [("available_on", "12/31/2026"), ("city", "Nowhere"), ("specialty", "magic"), ("q", "x" * 81)],
)
def test_filter_that_was_refused_keeps_what_was_typed(field: str, typed: str) -> None:
    bookable()
    page = signed_in().get("/doctors/", {field: typed}).content.decode()
    kept = f'<option value="{typed}" selected>' if field in ("city", "specialty") else ""
    assert kept in page
    (control,) = re.findall(rf'<(?:input|select)[^>]* name="{field}"[^>]*>', page)
    assert kept or f'value="{typed}"' in control
    assert 'type="date"' not in control


def test_refused_order_is_said_beside_the_orders_and_not_sent_again() -> None:
    bookable()
    page = signed_in().get("/doctors/?order=bogus")
    assert "You can sort by Earliest, Lowest fee or Name." in words(page)
    assert "bogus" not in page.content.decode()


def test_page_beyond_the_last_shows_the_last() -> None:
    bookable()
    assert "Dr Emma Visser" in words(signed_in().get("/doctors/?page=9999"))


def test_filters_that_are_on_are_named_as_a_person_would() -> None:
    doctor = make_doctor()
    make_visit_type(doctor=doctor, mode="video")
    page = words(signed_in().get("/doctors/?mode=video&max_fee=70"))
    assert "Remove filter: Video" in page
    assert "Remove filter: Up to €70" in page


@pytest.mark.parametrize(
    ("tab", "days", "status"),
    [("past", -2, "completed"), ("past", -2, "no_show"), ("cancelled", 3, "cancelled")],
)
def test_every_visit_of_the_list_leads_to_its_reference(tab: str, days: int, status: str) -> None:
    patient = make_patient()
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=days))
    visit = make_appointment(slots=slots, patient=patient, status=status)
    page = signed_in(patient).get(f"/appointments/?tab={tab}").content.decode()
    assert f'href="/appointments/{visit.pk}/"' in page
    assert f'href="/doctors/{visit.doctor.slug}/"' in page


def test_patient_reads_missed_and_not_that_they_did_not_come() -> None:
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=-2))
    visit = make_appointment(slots=slots, status="no_show")
    page = words(signed_in(visit.patient).get("/appointments/?tab=past"))
    assert "Missed" in page
    assert "Did not come" not in page


def test_refusal_stands_above_the_doctor_once_and_first_in_the_title() -> None:
    visit_type, slots = bookable()
    take(slots[0], visit_type=visit_type, holder=guest())
    page = signed_in().post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    html = page.content.decode()
    assert page.status_code == 409
    assert html.count('role="alert"') == 1
    assert html.index('role="alert"') < html.index("doctor-head")
    assert "<title>Somebody is confirming" in html


def test_clock_of_a_hold_says_its_zone_and_its_instant() -> None:
    visit_type, slots = bookable()
    page = signed_in().post(
        "/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk}, follow=True
    )
    bar = page.content.decode().partition('class="hold-until"')[2].partition("</p>")[0]
    assert 'datetime="20' in bar
    assert zone_label(slots[0].clinic.zone, Hold.objects.get().expires_at) in bar
