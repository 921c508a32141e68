"""Codes of six digits are too few to be guessed, however patient somebody is."""

import pytest
from django.core import mail
from django.test import Client

from accounts import middleware
from tests.factories import PASSWORD, make_patient, make_user

pytestmark = pytest.mark.django_db
A_DAY = 20


@pytest.fixture(autouse=True)
def _quick_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of a minute are another matter."""
    for name in ("BY_ADDRESS", "BY_ACCOUNT"):
        monkeypatch.setattr(middleware, name, "1000/m")


@pytest.mark.parametrize("known", [True, False])
def test_address_gets_so_many_codes_a_day_to_sign_in_with(known: bool) -> None:
    email = make_patient().email if known else "nobody@example.test"
    answers = [
        Client().post("/accounts/login/code/", {"email": email}).status_code
        for _ in range(A_DAY + 1)
    ]
    assert answers == [302] * A_DAY + [429]
    assert len(mail.outbox) == A_DAY
    assert Client().post("/accounts/login/code/", {"email": "b@example.test"}).status_code == 302


def test_address_gets_so_many_codes_a_day_to_be_proved_with() -> None:
    user = make_user(verified=False)
    data = {"login": user.email, "password": PASSWORD}
    answers = [Client().post("/accounts/login/", data).status_code for _ in range(A_DAY + 1)]
    assert answers == [302] * A_DAY + [429]
    assert len(mail.outbox) == A_DAY


def test_code_allows_three_tries_also_when_it_is_sent_again() -> None:
    """A new code starts no new count."""
    browser = Client()
    browser.post("/accounts/login/code/", {"email": make_patient().email})
    confirm = "/accounts/login/code/confirm/"
    browser.post(confirm, {"code": "no"})
    browser.post(confirm, {"action": "resend"})
    browser.post(confirm, {"code": "no"})
    assert browser.post(confirm, {"code": "no"}).headers["Location"] == "/accounts/login/code/"
