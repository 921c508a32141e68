"""The page on which a practice says how early and how late patients can book."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bookings.errors import OutsideBookingWindow
from bookings.holding.services.holds import hold_slot
from docbook.audit.models import AuditEvent
from doctors.models import Doctor, SlotExpansion
from tests.bookings.acts import guest
from tests.factories import (
    make_appointment,
    make_doctor,
    make_secretary,
    make_slots,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import HTMX, is_whole_page, signed_in, typed, words

pytestmark = pytest.mark.django_db

PAGE = "/schedule/availability/rules/"
SAVED = {"save": "1"}


def practice(**fields: Any) -> tuple[Doctor, Client]:
    doctor = make_doctor(min_notice_minutes=60, horizon_days=30, **fields)
    return doctor, signed_in(make_secretary(doctor=doctor))


def sent(browser: Client, **changes: str) -> dict[str, str]:
    """The form as the page shows it, with these changes."""
    return typed(browser.get(PAGE)) | changes


def test_rules_are_saved_and_hold_from_then_on() -> None:
    doctor, browser = practice()
    visit_type = make_visit_type(doctor=doctor)
    [slot] = make_slots(doctor=doctor, starts_at=timezone.now() + timedelta(minutes=90))
    given = sent(
        browser,
        min_notice_minutes="120",
        horizon_days="90",
        change_notice_minutes="0",
        most_visits_a_day="12",
    )
    page = browser.post(PAGE, given | SAVED, follow=True)
    assert "Saved. Patients book by these rules from now on." in words(page)
    doctor.refresh_from_db()
    assert (doctor.min_notice_minutes, doctor.horizon_days) == (120, 90)
    assert (doctor.change_notice_minutes, doctor.most_visits_a_day) == (0, 12)
    assert SlotExpansion.objects.get().doctor_ids == [doctor.pk]
    event = AuditEvent.objects.get(action="booking_rules.changed")
    assert event.before["horizon_days"] == 30
    assert event.after["most_visits_a_day"] == 12
    with pytest.raises(OutsideBookingWindow):
        hold_slot(slot_id=slot.pk, visit_type_id=visit_type.pk, holder=guest(), now=timezone.now())


def test_the_same_rules_again_change_nothing_and_notice_alone_makes_no_times() -> None:
    _doctor, browser = practice()
    browser.post(PAGE, sent(browser) | SAVED)
    assert not AuditEvent.objects.filter(action="booking_rules.changed").exists()
    browser.post(PAGE, sent(browser, min_notice_minutes="30") | SAVED)
    assert AuditEvent.objects.filter(action="booking_rules.changed").count() == 1
    assert not SlotExpansion.objects.exists()


def test_preview_tells_what_the_rules_do_and_saves_nothing() -> None:
    doctor, browser = practice()
    for hour in (9, 10):
        make_appointment(slots=make_slots(doctor=doctor, starts_at=tomorrow_at(hour, days=3)))
    given = sent(browser, most_visits_a_day="2", change_notice_minutes="2880")
    answer = browser.post(PAGE, given, headers=HTMX)
    assert not is_whole_page(answer)
    said = words(answer)
    assert "until 2 days before it begins" in said
    assert "1 day of the next four weeks has that many visits already." in said
    doctor.refresh_from_db()
    assert doctor.most_visits_a_day is None
    assert "None of the next four weeks" in words(
        browser.post(PAGE, given | {"most_visits_a_day": "3"})
    )


def test_no_limit_is_an_empty_field() -> None:
    doctor, browser = practice(most_visits_a_day=4)
    browser.post(PAGE, sent(browser, most_visits_a_day="") | SAVED)
    doctor.refresh_from_db()
    assert doctor.most_visits_a_day is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("horizon_days", text) for text in ("", "0", "366", "-3", "2.5", "9" * 30, "\0")],
        *[("most_visits_a_day", text) for text in ("0", "301", "a")],
        *[("min_notice_minutes", text) for text in ("", "7", "-60", "1e3")],
        *[("change_notice_minutes", text) for text in ("", "61")],
    ],
)
def test_bad_input_is_an_error_at_its_field_and_saves_nothing(field: str, value: str) -> None:
    doctor, browser = practice()
    page = browser.post(PAGE, sent(browser, **{field: value}) | SAVED)
    assert page.status_code == 422
    assert f'id="id_{field}_error"' in page.content.decode()
    assert "Correct what is marked" in words(page)
    doctor.refresh_from_db()
    assert (doctor.min_notice_minutes, doctor.horizon_days) == (60, 30)


def test_notice_that_is_no_usual_one_is_still_a_choice() -> None:
    doctor, browser = practice(change_notice_minutes=90)
    assert sent(browser)["change_notice_minutes"] == "90"
    assert "90 minutes" in words(browser.get(PAGE))
    browser.post(PAGE, sent(browser, horizon_days="31") | SAVED)
    doctor.refresh_from_db()
    assert (doctor.change_notice_minutes, doctor.horizon_days) == (90, 31)


def test_second_of_two_who_change_the_rules_is_told_and_may_insist() -> None:
    doctor, browser = practice()
    given = sent(browser, horizon_days="40")
    Doctor.objects.filter(pk=doctor.pk).update(min_notice_minutes=0)
    page = browser.post(PAGE, given | SAVED)
    assert page.status_code == 409
    assert "Somebody else has changed these rules" in words(page)
    assert typed(page)["horizon_days"] == "40"
    doctor.refresh_from_db()
    assert doctor.horizon_days == 30
    browser.post(PAGE, typed(page) | SAVED)
    doctor.refresh_from_db()
    assert (doctor.min_notice_minutes, doctor.horizon_days) == (60, 40)
