"""Nobody can lock another person out with wrong passwords."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth import get_user
from django.test import Client

from accounts.models import User
from docbook.http.rate_policies import POLICIES
from tests.accounts.post import code_in, deliver
from tests.accounts.test_account_events import change_address, confirm_password
from tests.accounts.test_second_factor import code_of
from tests.api.client import Api
from tests.factories import PASSWORD, make_patient
from tests.limits import allow

pytestmark = pytest.mark.django_db
LOGIN, CODE = "/accounts/login/", "/accounts/login/code/"
NEW_PASSWORD = "another honest password"


@pytest.fixture(autouse=True)
def _quick_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, accounts=1000)


def browser_at(number: int) -> Client:
    return Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})


def try_wrong(user: User, *, times: int, networks: int) -> list[int]:
    data = {"login": user.email, "password": "wrong password"}
    return [browser_at(each % networks).post(LOGIN, data).status_code for each in range(times)]


def sign_in(browser: Client, user: User, password: str = PASSWORD) -> bool:
    browser.post(LOGIN, {"login": user.email, "password": password})
    return bool(get_user(browser) == user)


def test_stranger_with_ten_wrong_passwords_locks_out_only_their_own_network() -> None:
    user = make_patient()
    assert try_wrong(user, times=12, networks=1) == [200] * 10 + [429] * 2
    assert not sign_in(browser_at(0), user)
    assert sign_in(browser_at(100), user)


def test_one_network_cannot_use_up_what_all_strangers_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it tries beyond its own limit."""
    allow(monkeypatch, password_strangers=15, accounts=1000)
    user = make_patient()
    assert try_wrong(user, times=40, networks=1) == [200] * 10 + [429] * 30
    assert sign_in(browser_at(100), user)


def test_guessing_from_many_networks_closes_the_password_and_leaves_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(monkeypatch, password_strangers=15)
    user = make_patient()
    assert try_wrong(user, times=17, networks=17) == [200] * 15 + [429] * 2
    assert not sign_in(browser_at(100), user)
    browser = browser_at(101)
    browser.post(CODE, {"email": user.email})
    browser.post(f"{CODE}confirm/", {"code": code_in(deliver()[-1])})
    assert get_user(browser) == user


def test_known_browser_keeps_its_password_while_strangers_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(monkeypatch, password_strangers=15)
    user, browser = make_patient(), browser_at(102)
    assert sign_in(browser, user)
    browser.post("/accounts/logout/")
    try_wrong(user, times=17, networks=17)
    assert sign_in(browser, user)


def test_cookie_of_another_account_makes_no_browser_known(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, password_strangers=15)
    user, other, browser = make_patient(), make_patient(), browser_at(103)
    assert sign_in(browser, other)
    browser.post("/accounts/logout/")
    try_wrong(user, times=17, networks=17)
    assert not sign_in(browser, user)


def test_right_passwords_use_nothing_up() -> None:
    user = make_patient()
    assert all(sign_in(browser_at(1), user) for _ in range(12))


def close_both_ways(user: User) -> None:
    """Strangers at many networks use up the passwords and the codes of an account."""
    try_wrong(user, times=17, networks=17)
    for number in range(10):
        stranger = browser_at(number)
        stranger.post(CODE, {"email": user.email})
        stranger.post(f"{CODE}confirm/", {"code": "no"})


def choose_password(browser: Client, user: User) -> None:
    """With the link that the page for a forgotten password sends."""
    browser.post("/accounts/password/reset/", {"email": user.email})
    (path,) = re.findall(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", deliver()[-1].body)
    form = browser.get(path, follow=True).request["PATH_INFO"]
    browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})


def app_signs_in(user: User, password: str, *, network: int) -> int:
    api = Api()
    api.headers["X-Forwarded-For"] = f"192.0.2.{network}"
    answer = api.post("auth/token", {"email": user.email, "password": password})
    return int(answer.status_code)


def test_owner_whose_two_ways_in_are_both_closed_comes_in_by_a_new_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(monkeypatch, password_strangers=15)
    user, browser = make_patient(), browser_at(104)
    close_both_ways(user)
    assert not sign_in(browser, user)
    choose_password(browser, user)
    try_wrong(user, times=17, networks=17)  # who does not stop
    assert sign_in(browser, user, NEW_PASSWORD)
    browser.post("/accounts/logout/")
    browser.post(CODE, {"email": user.email})
    browser.post(f"{CODE}confirm/", {"code": code_in(deliver()[-1])})
    assert get_user(browser) == user


def test_strangers_who_ask_for_more_codes_than_a_mailbox_gets_keep_no_link_from_its_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(monkeypatch, password_strangers=15)
    user, browser = make_patient(), browser_at(104)
    close_both_ways(user)
    for number in range(12):
        browser_at(50 + number).post(CODE, {"email": user.email})
    choose_password(browser, user)
    for number in range(12):  # who do not stop
        browser_at(50 + number).post(CODE, {"email": user.email})
    assert sign_in(browser, user, NEW_PASSWORD)


def test_app_comes_in_from_the_network_at_which_the_new_password_was_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(monkeypatch, password_strangers=15)
    user = make_patient()
    close_both_ways(user)
    assert app_signs_in(user, PASSWORD, network=105) == 429
    choose_password(browser_at(105), user)
    try_wrong(user, times=17, networks=17)
    assert app_signs_in(user, NEW_PASSWORD, network=105) == 200
    assert app_signs_in(user, NEW_PASSWORD, network=106) == 429


@pytest.mark.parametrize("door", ["page", "api"])
def test_app_comes_in_from_a_network_at_which_its_owner_has_signed_in(
    monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    allow(monkeypatch, password_strangers=15)
    user = make_patient()
    if door == "page":
        assert sign_in(browser_at(107), user)
    else:
        assert app_signs_in(user, PASSWORD, network=107) == 200
    try_wrong(user, times=17, networks=17)
    assert app_signs_in(user, PASSWORD, network=107) == 200
    assert app_signs_in(user, PASSWORD, network=108) == 429


def test_known_network_has_no_more_tries_than_any(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, password_strangers=15)
    user = make_patient()
    assert app_signs_in(user, PASSWORD, network=109) == 200
    try_wrong(user, times=17, networks=17)
    monkeypatch.setitem(POLICIES, "sign-in", POLICIES["accounts"])
    answers = [app_signs_in(user, "wrong password", network=109) for _ in range(11)]
    assert answers == [401] * 10 + [429]


def test_network_at_which_another_account_signed_in_is_a_stranger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(monkeypatch, password_strangers=15)
    user, other = make_patient(), make_patient()
    assert app_signs_in(other, PASSWORD, network=110) == 200
    try_wrong(user, times=17, networks=17)
    assert app_signs_in(user, PASSWORD, network=110) == 429


def end_other_sessions(browser: Client) -> str:
    browser.post("/accounts/sessions/")
    return PASSWORD


def change_password(browser: Client) -> str:
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    browser.post("/accounts/password/change/", form)
    return NEW_PASSWORD


def move_to_another_address(browser: Client) -> str:
    change_address(browser, "new@example.test")
    return PASSWORD


def set_up_second_factor(browser: Client) -> str:
    path = "/accounts/2fa/totp/activate/"
    secret = re.search(r"qr-key\">([A-Z2-7]+)<", browser.get(path).content.decode())
    assert secret
    browser.post(path, {"code": code_of(secret[1])})
    return PASSWORD


@pytest.mark.parametrize(
    "act", [end_other_sessions, change_password, move_to_another_address, set_up_second_factor]
)
def test_browser_that_ends_all_other_sessions_stays_known_and_so_does_its_network(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[Client], str]
) -> None:
    allow(monkeypatch, password_strangers=15)
    user, browser, other = make_patient(), browser_at(111), browser_at(112)
    assert all(sign_in(each, user) for each in (browser, other))
    confirm_password(browser)
    password = act(browser)
    assert (get_user(browser), get_user(other).is_anonymous) == (user, True)
    browser.post("/accounts/logout/")
    user.refresh_from_db()
    try_wrong(user, times=17, networks=17)
    form = {"login": user.email, "password": password}
    answers = [each.post(LOGIN, form).status_code for each in (browser, other)]
    assert answers == [302, 429]
    apps = [app_signs_in(user, password, network=each) for each in (111, 112)]
    assert [each == 429 for each in apps] == [False, True]


def test_page_and_api_count_wrong_passwords_together() -> None:
    user = make_patient()
    try_wrong(user, times=10, networks=1)
    data = {"email": user.email, "password": "wrong password"}
    api = Api()
    api.headers["X-Forwarded-For"] = "192.0.2.0"
    assert api.post("auth/token", data).status_code == 429


def test_borrowed_session_does_not_find_the_password_by_trying() -> None:
    browser = browser_at(1)
    browser.force_login(make_patient())
    data = {"oldpassword": "wrong", "password1": "another honest one", "password2": "x"}
    answers = [browser.post("/accounts/password/change/", data).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


def test_page_after_many_wrong_passwords_names_the_other_ways_in() -> None:
    user = make_patient()
    try_wrong(user, times=10, networks=1)
    page = browser_at(0).post(LOGIN, {"login": user.email, "password": "wrong password"})
    assert page.status_code == 429
    for path in (CODE, "/accounts/password/reset/"):
        assert f'href="{path}"' in page.content.decode()
        assert browser_at(0).get(path).status_code == 200
    assert page.headers["RateLimit-Policy"] == '"password-network";q=10;w=300'
    wait = page.headers["Retry-After"]
    assert page.headers["RateLimit"] == f'"password-network";r=0;t={wait}'


def test_refusal_of_another_limit_names_no_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, accounts=0)
    page = browser_at(0).post(LOGIN, {"login": "a@example.test", "password": "x"})
    assert page.status_code == 429
    assert CODE not in page.content.decode()
