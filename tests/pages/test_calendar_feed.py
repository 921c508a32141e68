"""The page on which a doctor or secretary makes, replaces and revokes the link of a feed."""

import re

import pytest
from django.test import Client

from bookings.models import CalendarFeed
from docbook.audit.models import AuditEvent
from tests.factories import make_doctor, make_secretary, make_user
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db

PAGE, MAKE, REVOKE = "/schedule/feed/", "/schedule/feed/link/", "/schedule/feed/revoke/"


def address_on(page: object) -> str:
    found = re.search(r'value="(http[^"]+/calendar/[\w-]{43}\.ics)"', page.content.decode())
    assert found
    return found[1]


def path_of(address: str) -> str:
    return "/calendar/" + address.rpartition("/")[2]


def test_link_is_shown_once_and_works_until_it_is_revoked() -> None:
    doctor = make_doctor(user=make_user())
    browser = signed_in(doctor.user)
    assert "Make a link" in words(browser.get(PAGE))
    made = browser.post(MAKE, {"doctor": doctor.pk})
    assert made.headers["Cache-Control"] == "no-store"
    path = path_of(address_on(made))
    assert Client().get(path).status_code == 200
    again = browser.get(PAGE)
    assert ".ics" not in again.content.decode()
    assert "Patients' names Not shown" in words(again)
    assert "Not yet" not in words(again)
    revoked = browser.post(REVOKE, {"doctor": doctor.pk}, follow=True)
    assert "The link is revoked." in words(revoked)
    assert Client().get(path).status_code == 404


def test_new_link_replaces_the_old_one_and_the_audit_has_both() -> None:
    doctor = make_doctor(user=make_user())
    browser = signed_in(doctor.user)
    first = path_of(address_on(browser.post(MAKE, {"doctor": doctor.pk})))
    with_names = {"doctor": doctor.pk, "with_names": "on"}
    made = browser.post(MAKE, with_names)
    assert "Patients' names Shown" in words(made)
    assert Client().get(first).status_code == 404
    assert Client().get(path_of(address_on(made))).status_code == 200
    shown = AuditEvent.objects.filter(action="calendar_feed.made").order_by("id")
    assert [each.after["with_names"] for each in shown] == [False, True]


def test_secretary_has_a_link_of_their_own_for_each_doctor() -> None:
    doctor = make_doctor(user=make_user())
    secretary = make_secretary(doctor=doctor)
    signed_in(doctor.user).post(MAKE, {"doctor": doctor.pk})
    browser = signed_in(secretary)
    assert "Replace link" not in words(browser.get(PAGE))
    assert browser.post(MAKE, {"doctor": doctor.pk}).status_code == 200
    assert CalendarFeed.objects.filter(doctor=doctor, revoked_at=None).count() == 2
    assert browser.post(MAKE, {"doctor": make_doctor().pk}).status_code == 404
    assert browser.get(f"{PAGE}?doctor=x").status_code == 404


def test_schedule_leads_to_the_feed_of_its_doctor() -> None:
    doctor = make_doctor(user=make_user())
    page = signed_in(doctor.user).get("/schedule/").content.decode()
    assert f'href="{PAGE}?doctor={doctor.pk}"' in page


def test_form_from_another_site_makes_nothing() -> None:
    doctor = make_doctor(user=make_user())
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(doctor.user)
    for path in (MAKE, REVOKE):
        assert browser.post(path, {"doctor": doctor.pk}).status_code == 403
    assert not CalendarFeed.objects.exists()
