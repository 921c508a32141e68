"""Codes and links of accounts: in our words, from our address, and sent again on request."""

import re

import pytest
from django.contrib.auth import get_user
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.http import HttpResponse
from django.test import Client, override_settings

from tests.accounts.post import code_in, deliver
from tests.factories import make_patient
from tests.pages.browser import typed, words

pytestmark = pytest.mark.django_db

NEW = {
    "first_name": "Saskia",
    "last_name": "Kuipers",
    "email": "saskia@example.test",
    "password1": "a long and honest password",
}
SITE = "https://docbook.example"
CONFIRM_EMAIL, CONFIRM_LOGIN = "/accounts/confirm-email/", "/accounts/login/code/confirm/"


def sign_up(browser: Client) -> HttpResponse:
    return browser.post("/accounts/signup/", NEW, follow=True)


def ask_for_login_code(browser: Client, email: str) -> HttpResponse:
    return browser.post("/accounts/login/code/", {"email": email}, follow=True)


def last_mail() -> EmailMultiAlternatives:
    return deliver()[-1]


def html_of(message: EmailMultiAlternatives) -> str:
    (alternative,) = message.alternatives
    assert alternative.mimetype == "text/html"
    return str(alternative.content)


def test_new_code_for_a_new_address_replaces_the_old_one() -> None:
    browser = Client()
    sign_up(browser)
    old = code_in(last_mail())
    again = browser.post(CONFIRM_EMAIL, {"action": "resend"}, follow=True)
    said = "A new code is on its way to saskia@example.test. The old one no longer works."
    assert said in words(again)
    new = code_in(last_mail())
    assert (len(mail.outbox), old != new) == (2, True)
    assert "That is not the code we sent." in words(browser.post(CONFIRM_EMAIL, {"code": old}))
    browser.post(CONFIRM_EMAIL, {"code": new})
    assert get_user(browser).email == NEW["email"]


def test_new_code_for_a_sign_in_replaces_the_old_one() -> None:
    user, browser = make_patient(), Client()
    ask_for_login_code(browser, user.email)
    old = code_in(last_mail())
    again = browser.post(CONFIRM_LOGIN, {"action": "resend"}, follow=True)
    assert f"A new code is on its way to {user.email}." in words(again)
    new = code_in(last_mail())
    assert "That is not the code we sent." in words(browser.post(CONFIRM_LOGIN, {"code": old}))
    browser.post(CONFIRM_LOGIN, {"code": f"{new[:3]} {new[3:]}"})
    assert get_user(browser) == user


def shown(response: HttpResponse, *, email: str) -> str:
    """The page without its changing parts."""
    page = response.content.decode().partition("<main")[2]
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page).replace(email, "…")


def test_page_of_a_code_is_the_same_whether_the_address_is_known_or_not() -> None:
    """A button on only one of them would reveal who has an account here."""
    make_patient(email="known@example.test")
    pages = {}
    for email in ("known@example.test", "fresh@example.test"):
        browser = Client()
        answer = browser.post("/accounts/signup/", NEW | {"email": email}, follow=True)
        sent = browser.post(CONFIRM_EMAIL, {"action": "resend"}, follow=True)
        asked = ask_for_login_code(Client(), email)
        pages[email] = [shown(each, email=email) for each in (answer, sent, asked)]
    assert pages["known@example.test"] == pages["fresh@example.test"]


def test_wrong_address_is_corrected_by_starting_again() -> None:
    browser = Client()
    page = browser.post("/accounts/signup/", NEW | {"email": "typo@example.test"}, follow=True)
    assert "Not your address? Start again" in words(page)
    again = browser.post("/accounts/logout/", {"next": typed(page)["next"]}, follow=True)
    assert "Create an account" in words(again)
    sign_up(browser)
    browser.post(CONFIRM_EMAIL, {"code": code_in(last_mail())})
    assert get_user(browser).email == NEW["email"]


@pytest.mark.parametrize("way", ["sign-up", "sign-in"])
def test_code_is_typed_as_that_of_a_booking(way: str) -> None:
    browser = Client()
    page = sign_up(browser) if way == "sign-up" else ask_for_login_code(browser, "a@example.test")
    content = page.content.decode()
    assert re.search(r"<title>\s*\S.* · DocBook</title>", content, re.S)
    (field,) = re.findall(r'<input[^>]*name="code"[^>]*>', content)
    for attribute in (
        'inputmode="numeric"',
        'autocomplete="one-time-code"',
        'aria-describedby="id_code_helptext"',
    ):
        assert attribute in field
    assert "placeholder" not in field
    assert 'class="code-cells"' in content


@pytest.mark.parametrize("way", ["sign-up", "sign-in"])
def test_wrong_code_is_not_left_between_the_digits_of_the_next(way: str) -> None:
    browser = Client()
    sign_up(browser) if way == "sign-up" else ask_for_login_code(browser, "a@example.test")
    answer = browser.post(CONFIRM_EMAIL if way == "sign-up" else CONFIRM_LOGIN, {"code": "000000"})
    assert "That is not the code we sent." in words(answer)
    assert typed(answer)["code"] == ""


def test_page_after_sign_up_says_one_thing() -> None:
    browser = Client()
    first = words(sign_up(browser))
    assert "We sent a six-digit code to saskia@example.test" in first
    assert "Confirmation email sent" not in first
    data = {"code": code_in(last_mail())}
    done = words(browser.post(CONFIRM_EMAIL, data, follow=True))
    assert "saskia@example.test is confirmed, and you are signed in." in done
    assert "Successfully" not in done


def every_mail() -> dict[str, EmailMultiAlternatives]:
    known = make_patient()
    asked = {
        "sign-up": ("/accounts/signup/", NEW),
        "sign-up, known": ("/accounts/signup/", NEW | {"email": known.email}),
        "code": ("/accounts/login/code/", {"email": known.email}),
        "code, unknown": ("/accounts/login/code/", {"email": "nobody@example.test"}),
        "password": ("/accounts/password/reset/", {"email": known.email}),
        "password, unknown": ("/accounts/password/reset/", {"email": "nobody@example.test"}),
    }
    sent = {}
    for name, (path, data) in asked.items():
        mail.outbox.clear()
        Client().post(path, data, headers={"Host": "evil.example"})
        (sent[name],) = deliver()
    return sent


@override_settings(SITE_URL=SITE, ALLOWED_HOSTS=["*"])
def test_mails_of_accounts_are_ours_and_never_name_the_host_that_asked() -> None:
    for name, message in every_mail().items():
        html = html_of(message)
        assert "DocBook" in message.subject, name
        assert "[" not in message.subject, name
        for text in (message.subject, message.body, html):
            assert "evil.example" not in text, name
        links = re.findall(r"https?://[^\s\"<]+", message.body + html)
        assert {link.startswith(f"{SITE}/") for link in links} == {True}, (name, links)
        assert "Hello from" not in message.body, name


@override_settings(SITE_URL=SITE)
def test_code_in_a_mail_has_six_digits_in_two_groups_where_it_is_large() -> None:
    sign_up(Client())
    message = last_mail()
    code = code_in(message)
    assert message.subject == "Your DocBook code"
    assert f"{code[:3]} {code[3:]}" in html_of(message)
    assert "Valid for 10 minutes" in message.body


def test_login_that_does_not_fit_offers_a_code_instead() -> None:
    data = {"login": "nobody@example.test", "password": "wrong password"}
    page = Client().post("/accounts/login/?next=/schedule/", data)
    said = "Wrong e-mail address or password. Send me a code instead"
    assert said in words(page)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/accounts/login/", {"your e-mail address", "your password"}),
        ("/accounts/signup/", {"your first name", "your last name", "your e-mail address"}),
        ("/accounts/login/code/", {"your e-mail address"}),
        ("/accounts/password/reset/", {"your e-mail address"}),
    ],
)
def test_each_empty_field_is_asked_for_by_its_name(path: str, said: set[str]) -> None:
    answer = words(Client().post(path, {}))
    assert "This field is required" not in answer
    for each in said:
        assert f"Enter {each}." in answer


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/accounts/login/", "login"),
        ("/accounts/signup/", "email"),
        ("/accounts/login/code/", "email"),
        ("/accounts/password/reset/", "email"),
    ],
)
def test_half_an_address_is_told_what_it_misses(path: str, field: str) -> None:
    answer = Client().post(path, NEW | {field: "saskia@", "password": "x"})
    assert "Enter a complete e-mail address, like name@example.org." in words(answer)
    assert typed(answer)[field] == "saskia@"


@pytest.mark.parametrize(
    "path",
    ["/accounts/login/", "/accounts/signup/", "/accounts/login/code/", "/accounts/password/reset/"],
)
def test_fields_are_named_once_and_as_everywhere(path: str) -> None:
    page = Client().get(path)
    assert "placeholder" not in page.content.decode().partition("<main")[2]
    assert "E-mail" in words(page)
    assert "Email" not in words(page)


@pytest.mark.parametrize("path", ["/accounts/email/", "/accounts/password/change/"])
def test_fields_of_an_account_are_named_once_too(path: str) -> None:
    browser = Client()
    browser.force_login(make_patient())
    page = browser.get(path)
    assert page.status_code == 200
    assert "placeholder" not in page.content.decode().partition("<main")[2]


def test_password_says_what_it_needs_in_one_line() -> None:
    page = words(Client().get("/accounts/signup/"))
    assert "At least 8 characters, not a common password." in page
    assert "entirely numeric" not in page
