"""The pages where people change how they sign in: in our words and style, and easy to find."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from tests.accounts.test_account_events import change_address, confirm_password
from tests.accounts.test_second_factor import set_up
from tests.factories import make_patient
from tests.pages.browser import signed_in, words
from tests.pages.test_accounts import code_from_mail

pytestmark = pytest.mark.django_db

PAGES = {
    "/accounts/email/": "Your e-mail address",
    "/accounts/password/change/": "Choose a new password",
    "/accounts/reauthenticate/": "Enter your password again",
    "/accounts/2fa/": "Second step to sign in",
    "/accounts/2fa/totp/activate/": "Set up your authenticator app",
}


def browser_of(user: User) -> Client:
    browser = signed_in(user)
    confirm_password(browser)
    return browser


def page(path: str, user: User | None = None) -> Any:
    return browser_of(user or make_patient()).get(path, follow=True)


@pytest.mark.parametrize("path", PAGES)
def test_page_says_what_it_is_for_and_leads_to_the_others(path: str) -> None:
    html = page(path).content.decode()
    assert f"<h1>{PAGES[path]}</h1>" in html
    assert all(f'href="{each}"' in html for each in [*PAGES][:2])
    assert "<script data-allauth" not in html


def test_account_without_a_password_is_asked_to_choose_one() -> None:
    user = make_patient()
    user.set_unusable_password()
    user.save()
    browser = Client()
    browser.post("/accounts/login/code/", {"email": user.email})
    browser.post("/accounts/login/code/confirm/", {"code": code_from_mail()})
    assert "Choose a password" in words(browser.get("/accounts/password/change/", follow=True))


def test_every_page_leads_to_how_one_signs_in() -> None:
    assert 'href="/accounts/email/"' in page("/doctors/").content.decode()


def test_one_address_stands_in_a_sentence_and_several_are_chosen_from() -> None:
    user = make_patient(email="old@example.test")
    assert "You sign in with old@example.test" in words(page("/accounts/email/", user))
    EmailAddress.objects.create(user=user, email="new@example.test", verified=True)
    html = page("/accounts/email/", user).content.decode()
    assert 'value="new@example.test"' in html
    assert "Send a code" not in html
    EmailAddress.objects.create(user=user, email="third@example.test")
    html = page("/accounts/email/", user).content.decode()
    assert html.count("Send a code") == 1
    assert "Not confirmed yet" in html


def test_change_of_address_and_password_is_said_in_our_words() -> None:
    user = make_patient(email="old@example.test")
    browser = browser_of(user)
    change_address(browser, "new@example.test")
    assert "From now on you sign in with this address." in words(browser.get("/accounts/email/"))
    form = {"oldpassword": "wrong", "password1": "an honest new one", "password2": "an honest"}
    said = words(browser.post("/accounts/password/change/", form))
    assert "That is not your current password." in said


def test_page_of_recovery_codes_leads_back_from_the_question_for_new_ones() -> None:
    user = make_patient()
    set_up(user)
    html = page("/accounts/2fa/recovery-codes/generate/", user).content.decode()
    assert "Make new recovery codes?" in html or "Second step" in html


def test_account_that_is_switched_off_is_told_where_to_ask() -> None:
    assert "Ask the practice" in words(Client().get("/accounts/inactive/"))


def test_each_password_is_named_for_what_it_is() -> None:
    page = browser_of(make_patient()).get("/accounts/password/change/").content.decode()
    labels = re.findall(r"<label for=[^>]*>([^<]*)</label>", page)
    assert labels == ["Current password", "New password", "Repeat the new password"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/accounts/login/", "password"),
        ("/accounts/password/change/", "oldpassword"),
        ("/accounts/reauthenticate/", "password"),
    ],
)
def test_way_out_for_a_forgotten_password_stands_below_its_field(path: str, field: str) -> None:
    browser = Client() if "login" in path else signed_in(make_patient())
    before, found, after = browser.get(path).content.decode().partition(f'name="{field}"')
    assert found
    assert "Forgot your password?" not in before
    assert "Forgot your password?" in after
