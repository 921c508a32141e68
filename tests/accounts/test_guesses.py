"""Codes of six digits cannot be guessed, however patient or quick somebody is."""

from typing import Any

import pytest
from django.contrib.auth import get_user
from django.test import Client

from accounts.models import AccountCode, CodeGuesses, User
from tests.accounts.post import code_in, deliver, wrong
from tests.concurrency.rush import rush
from tests.factories import PASSWORD, make_admin, make_patient, make_user
from tests.limits import allow
from tests.pages.browser import words

pytestmark = pytest.mark.django_db
CODE, CONFIRM = "/accounts/login/code/", "/accounts/login/code/confirm/"
PROVE = "/accounts/confirm-email/"
NO_GUESSES_LEFT = "Too many wrong codes were entered for this account today."


@pytest.fixture(autouse=True)
def _quick_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits per minute are tested elsewhere."""
    allow(monkeypatch, accounts=1000)


def with_code(user: User, *, network: int) -> tuple[Client, str]:
    """A browser that has asked for a code, and the code."""
    browser = Client(headers={"X-Forwarded-For": f"192.0.2.{network}"})
    browser.post(CODE, {"email": user.email})
    return browser, code_in(deliver()[-1])


def guess_wrong(user: User, *, times: int, networks: int = 99) -> None:
    """Strangers on this many networks, with two wrong codes for each code they request."""
    for number in range(times):
        browser, code = with_code(user, network=number % networks)
        browser.post(CONFIRM, {"code": wrong(code)})


def test_code_allows_three_tries_also_when_it_is_sent_again() -> None:
    """A new code does not start a new count."""
    browser, _code = with_code(make_patient(), network=1)
    browser.post(CONFIRM, {"code": "no"})
    browser.post(CONFIRM, {"action": "resend"})
    browser.post(CONFIRM, {"code": "no"})
    assert browser.post(CONFIRM, {"code": "no"}).headers["Location"] == CODE
    assert AccountCode.objects.get().attempts == 3


@pytest.mark.parametrize("make", [make_patient, make_admin])
def test_eleventh_guess_of_a_day_is_refused_even_if_it_is_right(make: Any) -> None:
    """From everywhere, over all codes, of patients and of staff."""
    user = make()
    guess_wrong(user, times=10)
    browser, code = with_code(user, network=100)
    answer = browser.post(CONFIRM, {"code": code})
    assert NO_GUESSES_LEFT in words(answer)
    assert get_user(browser).is_anonymous


def test_owner_whose_guesses_strangers_used_up_signs_in_with_the_password() -> None:
    user = make_patient()
    guess_wrong(user, times=10)
    browser = Client(headers={"X-Forwarded-For": "192.0.2.101"})
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert get_user(browser) == user


def test_owner_whose_guesses_strangers_used_up_signs_in_by_code_in_a_known_browser() -> None:
    user = make_patient()
    browser, code = with_code(user, network=102)
    browser.post(CONFIRM, {"code": code})
    browser.post("/accounts/logout/")
    guess_wrong(user, times=10)
    browser.post(CODE, {"email": user.email})
    browser.post(CONFIRM, {"code": code_in(deliver()[-1])})
    assert get_user(browser) == user


def test_owner_whose_guesses_strangers_used_up_chooses_a_password_by_link() -> None:
    user = make_patient()
    guess_wrong(user, times=10)
    browser = Client(headers={"X-Forwarded-For": "192.0.2.103"})
    browser.post("/accounts/password/reset/", {"email": user.email})
    assert "/accounts/password/reset/key/" in deliver()[-1].body


def test_one_network_cannot_use_up_the_guesses_of_all() -> None:
    user = make_patient()
    guess_wrong(user, times=9, networks=1)
    browser, code = with_code(user, network=104)
    browser.post(CONFIRM, {"code": code})
    assert get_user(browser) == user


def test_right_code_is_no_guess() -> None:
    user = make_patient()
    for number in range(4):
        browser, code = with_code(user, network=number)
        browser.post(CONFIRM, {"code": code})
        assert get_user(browser) == user
    assert {each.count for each in CodeGuesses.objects.all()} == {0}


def test_right_code_opens_once() -> None:
    user = make_patient()
    browser, code = with_code(user, network=1)
    cookies = dict(browser.cookies)
    browser.post(CONFIRM, {"code": code})
    again = Client(headers={"X-Forwarded-For": "192.0.2.1"})
    again.cookies.update(cookies)
    again.post(CONFIRM, {"code": code})
    assert get_user(again).is_anonymous


def test_unknown_address_is_refused_after_as_many_guesses() -> None:
    answers = []
    for email in (make_patient().email, "nobody@example.test"):
        for number in range(11):
            browser = Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})
            browser.post(CODE, {"email": email})
            answer = browser.post(CONFIRM, {"code": "no"})
        answers.append(NO_GUESSES_LEFT in words(answer))
    assert answers == [True, True]


def test_code_of_another_browser_opens_nothing() -> None:
    user = make_patient()
    _browser, code = with_code(user, network=1)
    stranger = Client(headers={"X-Forwarded-For": "192.0.2.2"})
    stranger.post(CODE, {"email": user.email})
    stranger.post(CONFIRM, {"code": code})
    assert get_user(stranger).is_anonymous


def test_session_holds_no_code() -> None:
    browser, code = with_code(make_patient(), network=1)
    assert code not in str(dict(browser.session))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", [CONFIRM, PROVE])
def test_of_many_wrong_codes_at_once_three_are_looked_at(page: str) -> None:
    if page == CONFIRM:
        browser, _code = with_code(make_patient(), network=1)
    else:
        browser = Client(headers={"X-Forwarded-For": "192.0.2.1"})
        data = {"login": make_user(verified=False).email, "password": PASSWORD}
        browser.post("/accounts/login/", data)
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}

    def guess(number: int) -> Any:
        one = Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})
        one.cookies.load(cookies)
        return one.post(page, {"code": f"{number:06d}"})

    answers = rush(guess, list(range(12)))
    assert not [each for each in answers if isinstance(each, Exception)]
    assert AccountCode.objects.get().attempts == 3
    assert sum(CodeGuesses.objects.filter(guesser="strangers").values_list("count", flat=True)) == 3


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_over_many_codes_ten_are_looked_at() -> None:
    user = make_patient()
    browsers = [with_code(user, network=number) for number in range(18)]

    def guess(given: tuple[Client, str]) -> Any:
        browser, code = given
        return browser.post(CONFIRM, {"code": wrong(code)})

    refused = [NO_GUESSES_LEFT in words(each) for each in rush(guess, browsers)]
    assert refused.count(False) == 10
