"""The page on which a doctor or secretary connects calendars elsewhere."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from docbook.audit.models import AuditEvent
from doctors.models import Doctor, ExternalCalendar, SlotExpansion
from tests.doctors.calendars import calendar, event
from tests.doctors.test_external_calendars import Elsewhere
from tests.factories import (
    CLINIC_ZONE,
    make_appointment,
    make_calendar,
    make_doctor,
    make_rule,
    make_secretary,
    make_slots,
    make_user,
    tomorrow_at,
)
from tests.http.servers import serving
from tests.pages.browser import signed_in, typed, words

pytestmark = pytest.mark.django_db

PAGE = "/schedule/availability/calendars/"


def practice() -> tuple[Doctor, Client]:
    """A doctor with hours every day, and their secretary's browser."""
    doctor = make_doctor(user=make_user())
    make_rule(doctor=doctor, starts=time(8), ends=time(18))
    return doctor, signed_in(make_secretary(doctor=doctor))


def connect(browser: Client, address: str, **fields: str) -> Any:
    return browser.post(PAGE, {"name": "Hospital", "address": address, "connect": "1"} | fields)


def upload(browser: Client, content: bytes, name: str = "Hospital") -> Any:
    file = SimpleUploadedFile("busy.ics", content, content_type="text/calendar")
    return browser.post(PAGE, {"name": name, "file": file, "upload": "1"})


def noon(days: int = 2) -> datetime:
    day = tomorrow_at(days=days).date()
    return datetime.combine(day, time(12), tzinfo=CLINIC_ZONE)


def utc_event(begin: datetime, *, hours: int = 1) -> str:
    offset = begin.utcoffset() or timedelta()
    begin = begin.replace(tzinfo=None) - offset
    return event(begin, begin + timedelta(hours=hours))


def test_calendar_is_connected_read_again_and_disconnected() -> None:
    doctor, browser = practice()
    elsewhere = Elsewhere(utc_event(noon()))
    assert "No other calendar is connected." in words(browser.get(PAGE))
    with serving(elsewhere) as address:
        secret = f"{address}?key=0123456789"
        page = browser.get(connect(browser, secret).url)
        assert "Connected, with 1 busy time. Patients see the new times" in words(page)
        assert "Hospital 1 busy time ahead 127.0.0.1 · last read" in words(page)
        assert "0123456789" not in page.content.decode()
        elsewhere.content = calendar()
        [connected] = ExternalCalendar.objects.all()
        page = browser.post(f"{PAGE}{connected.pk}/read/", follow=True)
    assert "“Hospital” has been read." in words(page)
    assert "0 busy times ahead" in words(page)
    page = browser.post(f"{PAGE}{connected.pk}/remove/", follow=True)
    assert "“Hospital” is disconnected." in words(page)
    actions = AuditEvent.objects.filter(object_id=str(doctor.pk), actor_kind="secretary")
    told = [each.action for each in actions.order_by("id")]
    assert told == ["calendar.connected", "calendar.disconnected"]
    asked = SlotExpansion.objects.values_list("asked_by", flat=True)
    assert set(asked) == {connected.connected_by_id}


def test_trouble_is_said_with_its_beginning_and_what_still_counts() -> None:
    _doctor, browser = practice()
    elsewhere = Elsewhere(utc_event(noon()))
    with serving(elsewhere) as address:
        connect(browser, address)
        elsewhere.content = b"<html>"
        [connected] = ExternalCalendar.objects.all()
        page = browser.post(f"{PAGE}{connected.pk}/read/", follow=True)
    assert "has been read" not in words(page)
    assert "Hospital Cannot be read" in words(page)
    assert "This is not a calendar (.ics)." in words(page)
    assert "1 busy time from the last reading still counts." in words(page)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "This field is required."),
        ("hospital calendar", "This is not a web address."),
        ("http://example.test/a.ics", "Only addresses that begin with https://"),
        ("https://10.0.0.1/a.ics", "This address leads into a private network."),
        ("https://a:b@example.test/", "without a name and password"),
        ("https://example.test/" + "a" * 2_000, "at most 2000 characters"),
        ("https://example.test/\x00", "Null characters are not allowed."),
    ],
)
def test_address_that_cannot_be_read_is_refused_at_its_field(address: str, message: str) -> None:
    _doctor, browser = practice()
    page = connect(browser, address)
    assert page.status_code == 422
    assert message in words(page)
    assert 'id="address_address_error"' in page.content.decode()
    assert typed(page)["name"] in ("Hospital", "")
    assert not ExternalCalendar.objects.exists()
    assert not SlotExpansion.objects.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "This is not a calendar (.ics)."),
        (b"<!doctype html>", "This is not a calendar (.ics)."),
        (b" " * 2_000_001, "The calendar is larger than 2 MB."),
        (calendar("DTSTART:20261110T090000Z|RRULE:FREQ=SECONDLY"), "every minute or second"),
    ],
)
def test_file_that_is_no_calendar_is_refused_at_its_field(content: bytes, message: str) -> None:
    _doctor, browser = practice()
    page = upload(browser, content)
    assert page.status_code == 422
    assert message in words(page)
    assert 'id="file_file_error"' in page.content.decode()
    assert not ExternalCalendar.objects.exists()


def test_upload_without_a_file_says_so() -> None:
    _doctor, browser = practice()
    page = browser.post(PAGE, {"name": "", "upload": "1"})
    assert page.status_code == 422
    for field in ("name", "file"):
        assert f'id="file_{field}_error"' in page.content.decode()


def test_body_that_is_much_too_large_is_not_read() -> None:
    _doctor, browser = practice()
    assert upload(browser, b" " * 3_000_001).status_code == 413
    assert browser.post("/schedule/availability/", {"x": "y" * 300_000}).status_code == 413


def test_uploaded_file_says_until_when_it_is_known() -> None:
    _doctor, browser = practice()
    page = browser.get(upload(browser, calendar(utc_event(noon()))).url)
    assert "1 busy time ahead File, uploaded on" in words(page)
    assert "It is known until" in words(page)
    assert "Read now" not in words(page)


def test_booked_visit_at_a_busy_time_is_shown_as_one_to_decide_about() -> None:
    doctor, browser = practice()
    visit = make_appointment(slots=make_slots(doctor=doctor, starts_at=noon()))
    answer = upload(browser, calendar(utc_event(noon())))
    assert answer.url.startswith("/schedule/availability/visits/")
    assert visit.patient_name in words(browser.get(answer.url))
    assert "1 booked visit is outside these hours." in words(browser.get(PAGE))
    visit.refresh_from_db()
    assert visit.status == "confirmed"


def test_visit_beside_a_busy_time_is_no_clash() -> None:
    doctor, browser = practice()
    make_appointment(slots=make_slots(doctor=doctor, starts_at=noon()))
    answer = upload(browser, calendar(utc_event(noon() - timedelta(hours=1))))
    assert answer.url.startswith(PAGE)


def test_calendars_of_another_doctor_are_not_theirs() -> None:
    _doctor, browser = practice()
    other = make_calendar()
    for act in ("read", "remove"):
        assert browser.post(f"{PAGE}{other.pk}/{act}/").status_code == 404
        assert browser.post(f"{PAGE}{10**15}/{act}/").status_code == 404
    assert connect(browser, "https://example.test/", name="").status_code == 422
    assert browser.get(f"{PAGE}?doctor={other.doctor_id}").status_code == 404
    assert ExternalCalendar.objects.get() == other


def test_form_from_another_site_connects_nothing() -> None:
    doctor, _browser = practice()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(doctor.user)
    assert upload(browser, calendar()).status_code == 403


def test_reading_has_a_limit() -> None:
    _doctor, browser = practice()
    answers = [connect(browser, "https://10.0.0.1/").status_code for _again in range(31)]
    assert answers == [422] * 30 + [429]


def test_more_calendars_take_no_more_queries() -> None:
    doctor, browser = practice()

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            browser.get(PAGE)
        return len(queries)

    count()
    make_calendar(doctor=doctor)
    one = count()
    make_calendar(doctor=doctor)
    make_calendar(doctor=doctor)
    assert count() == one
