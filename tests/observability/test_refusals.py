"""What the log says of a request that was refused: its code, and an error only if it is one."""

import logging
from typing import Any

import pytest

from bookings.models import BookingPause
from tests.bookings.acts import bookable
from tests.factories import make_patient
from tests.journeys.doors import Ask, by_api, by_page

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
    monkeypatch.setattr("bookings.views.refusals.render_doctor", broken)
    with pytest.raises(ZeroDivisionError):
        by_page(asked, patient=make_patient())
    loud = [each.name for each in caplog.records if each.levelno >= logging.ERROR]
    assert loud == ["django.request"]


@DOORS
def test_request_that_is_done_tells_of_no_refusal(door: Any, caplog: Any) -> None:
    assert door(ask(), patient=make_patient()).status_code in {201, 302}
    assert "refusal" not in line_of_the_request(caplog)
