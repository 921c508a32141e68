"""Text that was typed and not sent yet is kept for its writer, and for nobody else."""

import pytest
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bookings.holding.views.booking import SESSION_DRAFT
from bookings.models import Draft, Hold
from bookings.tasks import sweep
from tests.bookings.acts import bookable, code_of, let_expire
from tests.factories import PASSWORD, make_patient
from tests.pages.browser import signed_in, typed

pytestmark = pytest.mark.django_db

TYPED = {
    "first_name": "Saskia",
    "last_name": "",
    "email": "saskia@",
    "phone": "call me",
    "reason": "A rash",
}
DETAILS = TYPED | {"last_name": "Kuipers", "email": "saskia@example.test", "phone": ""}


def tap(browser: Client) -> str:
    """Holds a time of some doctor; returns the address of its details."""
    visit_type, slots = bookable()
    data = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    return browser.post("/book/", data).headers["Location"]


def sign_in(browser: Client, user: User, *, then: str) -> None:
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD, "next": then})
    assert get_user(browser) == user


def lose(page: str) -> None:
    let_expire(Hold.objects.get(pk=page.split("/")[2]))


def test_sign_in_half_way_keeps_what_was_typed_right_or_wrong() -> None:
    browser = signed_in()
    page = tap(browser)
    asked = browser.post(page, TYPED | {"then": "sign-in"})
    assert asked.headers["Location"] == f"/accounts/login/?next={page}"
    sign_in(browser, make_patient(first_name="Noor"), then=page)
    for _reload in range(2):
        kept = typed(browser.get(page))
        names = ("first_name", "phone", "reason")
        assert {name: kept[name] for name in names} == {name: TYPED[name] for name in names}
        assert "email" not in kept


def test_account_fills_in_what_was_not_typed_before_the_sign_in() -> None:
    browser = signed_in()
    page = tap(browser)
    browser.post(page, TYPED | {"then": "sign-in"})
    sign_in(browser, make_patient(last_name="Bakker"), then=page)
    assert typed(browser.get(page))["last_name"] == "Bakker"


def test_asking_to_sign_in_sends_no_code_and_writes_nothing_into_the_hold() -> None:
    browser = signed_in()
    page = tap(browser)
    browser.post(page, DETAILS | {"then": "sign-in"})
    hold = Hold.objects.get()
    assert (hold.code_sent_at, hold.first_name) == (None, "")


@pytest.mark.parametrize("details", [TYPED, DETAILS], ids=["with mistakes", "without mistakes"])
def test_details_that_came_too_late_stand_in_the_form_of_the_next_hold(
    details: dict[str, str],
) -> None:
    browser = signed_in()
    page = tap(browser)
    lose(page)
    assert browser.post(page, details).status_code == 410
    kept = typed(browser.get(tap(browser)))
    assert {name: kept[name] for name in details} == details


def test_details_of_a_hold_whose_code_came_too_late_stand_in_the_form_of_the_next_hold() -> None:
    browser = signed_in()
    page = tap(browser)
    browser.post(page, DETAILS)
    lose(page)
    browser.get(f"{page}code/")
    kept = typed(browser.get(tap(browser)))
    assert {name: kept[name] for name in DETAILS} == DETAILS


def test_draft_is_dropped_when_its_details_are_sent() -> None:
    browser = signed_in()
    page = tap(browser)
    lose(page)
    browser.post(page, TYPED)
    assert SESSION_DRAFT in browser.session
    browser.post(tap(browser), DETAILS)
    assert SESSION_DRAFT not in browser.session


def test_draft_is_dropped_when_a_booking_is_confirmed() -> None:
    browser = signed_in(make_patient())
    page = tap(browser)
    browser.post(page, DETAILS)
    other = tap(browser)
    lose(other)
    browser.post(other, TYPED)
    hold = Hold.objects.get(pk=page.split("/")[2])
    assert browser.post(f"{page}code/", {"code": code_of(hold)}).status_code == 302
    assert SESSION_DRAFT not in browser.session


def test_draft_does_not_outlive_a_sign_out() -> None:
    browser = signed_in(make_patient())
    page = tap(browser)
    lose(page)
    browser.post(page, TYPED)
    browser.post("/accounts/logout/")
    assert SESSION_DRAFT not in browser.session
    assert typed(browser.get(tap(browser)))["reason"] == ""


def test_draft_of_one_account_is_not_shown_to_the_next_at_the_same_browser() -> None:
    browser = signed_in(make_patient())
    page = tap(browser)
    lose(page)
    browser.post(page, TYPED)
    browser.force_login(make_patient(first_name="Noor"))
    kept = typed(browser.get(tap(browser)))
    assert (kept["first_name"], kept["reason"]) == ("Noor", "")


def test_draft_of_a_guest_is_not_shown_to_who_signs_in_much_later() -> None:
    browser = signed_in()
    page = tap(browser)
    lose(page)
    browser.post(page, TYPED)
    Draft.objects.update(expires_at=timezone.now())
    browser.force_login(make_patient(first_name="Noor"))
    kept = typed(browser.get(tap(browser)))
    assert (kept["first_name"], kept["reason"]) == ("Noor", "")
    assert SESSION_DRAFT not in browser.session


def test_strangers_hold_keeps_nothing_of_what_is_sent_to_it() -> None:
    page = tap(signed_in())
    stranger = signed_in()
    assert stranger.post(page, TYPED | {"then": "sign-in"}).status_code == 404
    assert SESSION_DRAFT not in stranger.session


def typed_texts() -> str:
    """Everything the database has of typed text, except the holds it was sent with."""
    sessions = [each.get_decoded() for each in Session.objects.all()]
    return repr([sessions, list(Draft.objects.values_list("typed", flat=True))])


def test_nothing_that_was_typed_stands_in_a_session() -> None:
    browser = signed_in()
    page = tap(browser)
    browser.post(page, TYPED | {"then": "sign-in"})
    assert browser.session[SESSION_DRAFT] == str(Draft.objects.get().pk)
    Draft.objects.all().delete()
    assert "Saskia" not in typed_texts()


@pytest.mark.parametrize("ends", ["sent", "confirmed", "given back", "fifteen minutes"])
def test_what_was_typed_is_deleted_with_its_term(ends: str) -> None:
    browser = signed_in(make_patient())
    page = tap(browser)
    if ends == "confirmed":
        browser.post(page, DETAILS)
        lost = tap(browser)
        lose(lost)
        browser.post(lost, TYPED)
    else:
        browser.post(page, TYPED | {"then": "sign-in"})
    assert "A rash" in typed_texts()
    sweep()
    assert "A rash" in typed_texts()
    if ends == "sent":
        browser.post(page, DETAILS)
    elif ends == "confirmed":
        browser.post(f"{page}code/", {"code": code_of(Hold.objects.get(pk=page.split("/")[2]))})
    elif ends == "given back":
        browser.post(f"{page}release/")
    else:  # nobody comes back
        Draft.objects.update(expires_at=timezone.now())
        sweep()
    assert "A rash" not in typed_texts()
    assert not Draft.objects.exists()


def test_one_browser_keeps_one_draft() -> None:
    browser = signed_in()
    page = tap(browser)
    for reason in ("A rash", "A cough"):
        browser.post(page, TYPED | {"then": "sign-in", "reason": reason})
    assert Draft.objects.get().typed["reason"] == "A cough"


def test_text_of_a_session_from_before_is_forgotten_at_the_first_look() -> None:
    browser = signed_in()
    page = tap(browser)
    session = browser.session
    session[SESSION_DRAFT] = {"by": "", "at": 0, "typed": TYPED}
    session.save()
    assert typed(browser.get(page))["reason"] == ""
    assert "A rash" not in typed_texts()


def test_character_that_no_database_takes_is_left_out() -> None:
    browser = signed_in()
    page = tap(browser)
    browser.post(page, TYPED | {"then": "sign-in", "reason": "A \0rash"})
    assert typed(browser.get(page))["reason"] == "A rash"
