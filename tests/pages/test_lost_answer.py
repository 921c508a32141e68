"""A confirmation whose answer was lost, sent again: it leads to the visit, or to a sign-in
by code.
"""

import pytest
from django.conf import settings
from django.test import Client

from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold
from tests.bookings.acts import as_patient, attempt, bookable, code_of
from tests.factories import make_patient
from tests.journeys.doors import words
from tests.pages.browser import signed_in

pytestmark = pytest.mark.django_db

DETAILS = {"first_name": "Saskia", "last_name": "Kuipers", "email": "saskia@example.test"}


def before_the_code(browser: Client) -> tuple[str, str]:
    """The address of the attempt, and its code."""
    visit_type, slots = bookable()
    data = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    page = browser.post("/book/", data).headers["Location"]
    browser.post(page, DETAILS)
    return page, code_of(Hold.objects.get())


def lose_the_answer(browser: Client, page: str, code: str) -> None:
    """The visit is booked and its account opened, but the browser has its session from before."""
    before = browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert browser.post(f"{page}code/", {"code": code}).status_code == 302
    browser.cookies[settings.SESSION_COOKIE_NAME] = before
    assert Appointment.objects.count() == 1


AGAIN = {
    "confirm": ("post", "code/", {"code": "{code}"}),
    "confirm with another code": ("post", "code/", {"code": "000000"}),
    "open the code": ("get", "code/", {}),
    "open the details": ("get", "", {}),
    "send the details": ("post", "", DETAILS),
    "ask for another code": ("post", "resend/", {}),
    "give it back": ("post", "release/", {}),
}


@pytest.mark.parametrize("act", AGAIN)
def test_guest_whose_session_is_gone_is_shown_the_way_in_by_code(act: str) -> None:
    browser = signed_in()
    page, code = before_the_code(browser)
    lose_the_answer(browser, page, code)
    method, step, data = AGAIN[act]
    sent = {name: value.format(code=code) for name, value in data.items()}
    again = getattr(browser, method)(f"{page}{step}", sent)
    visit = f"/appointments/{Appointment.objects.get().pk}/"
    assert (again.status_code, again.headers["Location"]) == (302, visit)
    way_in = browser.get(visit).headers["Location"]
    assert way_in == f"/accounts/login/code/?next={visit}"
    asked = words(browser.get(way_in))
    assert (
        "Sign in to see your visit. We will send a code to the e-mail address it was booked with"
        in asked
    )
    browser.force_login(Appointment.objects.get().patient)  # as after the code
    assert browser.get(visit).status_code == 200


@pytest.mark.parametrize("act", AGAIN)
def test_browser_that_has_its_session_is_led_to_the_visit(act: str) -> None:
    browser = signed_in()
    page, code = before_the_code(browser)
    browser.post(f"{page}code/", {"code": code})
    method, step, data = AGAIN[act]
    sent = {name: value.format(code=code) for name, value in data.items()}
    again = getattr(browser, method)(f"{page}{step}", sent, follow=True)
    assert again.redirect_chain[-1][0].startswith(f"/appointments/{Appointment.objects.get().pk}/")
    assert again.status_code == 200
    assert Appointment.objects.count() == 1


def test_htmx_is_told_to_go_to_the_way_in() -> None:
    browser = signed_in()
    page, code = before_the_code(browser)
    lose_the_answer(browser, page, code)
    again = browser.post(f"{page}code/", {"code": code}, headers={"HX-Request": "true"})
    visit = f"/appointments/{Appointment.objects.get().pk}/"
    assert again.headers["HX-Redirect"] == visit


def test_nobody_else_finds_the_attempt_or_the_visit() -> None:
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    code = {"code": code_of(hold)}
    assert Client().post(f"/book/{hold.pk}/code/", code).status_code == 404
    visit = confirm_booking(hold_id=hold.pk, holder=as_patient(hold.patient), code=code["code"])
    assert signed_in(make_patient()).post(f"/book/{hold.pk}/code/", code).status_code == 404
    stranger = Client().post(f"/book/{hold.pk}/code/", code, follow=True)
    assert visit.doctor.name not in words(stranger)
