"""The admin's switch: one row, recorded in the audit, with immediate effect."""

import pytest
from django.test import Client

from bookings.errors import BookingDisabled
from bookings.models import BookingPause
from docbook.audit.models import AuditEvent
from tests.bookings.acts import bookable, guest, take
from tests.factories import make_admin, make_patient

pytestmark = pytest.mark.django_db

PLACE = "/admin/bookings/bookingpause/"


def signed_in(user) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def test_admin_pauses_booking_and_lets_it_go_on():
    admin, (visit_type, slots) = make_admin(), bookable()
    browser = signed_in(admin)
    until = {"until_0": "2099-12-31", "until_1": "18:00:00"}
    added = browser.post(f"{PLACE}add/", {"is_on": "on", "message": "We move.", **until})
    assert added.status_code == 302
    with pytest.raises(BookingDisabled):
        take(slots[0], visit_type=visit_type, holder=guest())
    changed = browser.post(f"{PLACE}1/change/", {"message": "We move."})
    assert changed.status_code == 302
    assert take(slots[0], visit_type=visit_type, holder=guest())
    events = AuditEvent.objects.filter(object_type="booking_pause").order_by("id")
    assert [(each.action, each.actor_id, each.after) for each in events] == [
        ("booking.paused", admin.pk, {"is_on": True, "until": "2099-12-31T18:00:00+00:00"}),
        ("booking.resumed", admin.pk, {"is_on": False, "until": None}),
    ]


def test_there_is_no_second_switch_and_nobody_deletes_it():
    BookingPause.objects.create()
    browser = signed_in(make_admin())
    assert browser.get(f"{PLACE}add/").status_code == 403
    assert browser.post(f"{PLACE}1/delete/", {"post": "yes"}).status_code == 403


def test_patient_does_not_reach_the_switch():
    assert signed_in(make_patient()).get(PLACE).status_code in {302, 403}


def test_pause_that_is_over_already_is_refused_at_its_field():
    browser = signed_in(make_admin())
    over = {"until_0": "2020-01-01", "until_1": "10:00:00"}
    answer = browser.post(f"{PLACE}add/", {"is_on": "on", "message": "We move.", **over})
    assert answer.status_code == 200
    assert "This time has passed: nothing would be paused." in answer.content.decode()
    assert not BookingPause.objects.exists()
