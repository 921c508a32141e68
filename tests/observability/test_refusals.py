"""What the log says about a refused request: its code, and an error only if it is one."""

import logging
from typing import Any
from uuid import UUID

import pytest

from bookings.models import Appointment, BookingPause, Hold
from tests.bookings.acts import bookable, wrong_code
from tests.factories import make_appointment, make_doctor, make_patient, make_slots
from tests.journeys.doors import Ask, by_api, by_page
from tests.pages.browser import signed_in

pytestmark = pytest.mark.django_db

DOORS = pytest.mark.parametrize("door", [by_api, by_page])


def ask() -> Ask:
    visit_type, slots = bookable()
    return Ask("start", slots[0].pk, visit_type.pk)


def line_of_the_request(caplog: Any) -> dict[str, Any]:
    (line,) = [each.msg for each in caplog.records if each.name == "docbook.request"]
    return dict(line)


@DOORS
def test_booking_that_staff_have_paused_is_no_error_in_the_log(door: Any, caplog: Any) -> None:
    BookingPause.objects.create(is_on=True, message="We move to a new machine.")
    assert door(ask(), patient=make_patient()).status_code == 503
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
    line = line_of_the_request(caplog)
    assert (line["status"], line["refusal"]) == (503, "booking-disabled")


def test_what_breaks_while_booking_is_paused_is_an_error_still(monkeypatch, caplog: Any) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError

    BookingPause.objects.create(is_on=True)
    asked = ask()
    monkeypatch.setattr("bookings.holding.views.refusals.render_doctor", broken)
    with pytest.raises(ZeroDivisionError):
        by_page(asked, patient=make_patient())
    loud = [each.name for each in caplog.records if each.levelno >= logging.ERROR]
    assert loud == ["django.request"]


@DOORS
def test_request_that_is_done_tells_of_no_refusal(door: Any, caplog: Any) -> None:
    assert door(ask(), patient=make_patient()).status_code in {201, 302}
    assert "refusal" not in line_of_the_request(caplog)


def test_refused_code_and_refused_change_are_named_too(caplog: Any) -> None:
    patient, asked = make_patient(), ask()
    hold_id = UUID(by_api(asked, patient=patient).json()["attemptId"])
    caplog.clear()
    browser = signed_in(patient)
    browser.post(f"/book/{hold_id}/code/", {"code": wrong_code(Hold.objects.get(pk=hold_id))})
    assert line_of_the_request(caplog)["refusal"] == "otp-invalid"
    visit = make_appointment(slots=make_slots(doctor=make_doctor()), patient=patient)
    Appointment.objects.filter(pk=visit.pk).update(status="cancelled", version=2)
    caplog.clear()
    browser.get(f"/appointments/{visit.pk}/reschedule/")
    assert line_of_the_request(caplog)["refusal"] == "not-changeable"
