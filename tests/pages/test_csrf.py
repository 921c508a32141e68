"""No form of another site, and no forged htmx header, changes anything here."""

import pytest
from django.test import Client

from bookings.models import Hold
from tests.bookings.acts import as_patient, attempt, bookable
from tests.bookings.traces import traces
from tests.factories import make_patient
from tests.pages.browser import HTMX, typed, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def victim() -> tuple[Client, Hold]:
    """A signed-in patient with a live hold, in a browser that checks."""
    patient = make_patient()
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(patient))
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(patient)
    return browser, hold


FORMS = ["/book/", "/book/{}/", "/book/{}/code/", "/book/{}/resend/", "/book/{}/release/"]


@pytest.mark.parametrize("headers", [{}, HTMX, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("form", [*FORMS, "/accounts/logout/"])
def test_form_without_our_token_changes_nothing(victim, form: str, headers) -> None:
    browser, hold = victim
    before = traces()
    response = browser.post(form.format(hold.pk), {"slot": 1, "visit_type": 1}, headers=headers)
    assert response.status_code == 403
    assert "has expired" in response.content.decode()
    assert "We did not process this form" in words(response)
    assert "Nothing was booked" not in words(response)
    assert 'href="/appointments/"' in response.content.decode()
    assert traces() == before
    assert browser.get("/appointments/").status_code == 200


def test_form_of_our_own_page_is_taken(victim) -> None:
    browser, hold = victim
    token = typed(browser.get(f"/book/{hold.pk}/code/"))["csrfmiddlewaretoken"]
    response = browser.post(f"/book/{hold.pk}/release/", {"csrfmiddlewaretoken": token})
    assert response.status_code == 302


def test_form_with_our_token_from_another_origin_is_refused(victim) -> None:
    browser, hold = victim
    token = typed(browser.get(f"/book/{hold.pk}/code/"))["csrfmiddlewaretoken"]
    response = browser.post(
        f"/book/{hold.pk}/release/",
        {"csrfmiddlewaretoken": token},
        headers={"Origin": "https://evil.example"},
    )
    assert response.status_code == 403


def test_session_of_a_browser_opens_no_door_to_the_api(victim) -> None:
    browser, hold = victim
    assert browser.get("/api/v1/me").status_code == 401
    assert browser.delete(f"/api/v1/bookings/{hold.pk}").status_code == 401
