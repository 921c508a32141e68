"""Signing up, in and out on pages, with codes that come by mail."""

import re

import pytest
from django.contrib.auth import get_user
from django.core.mail import EmailMessage
from django.test import Client, override_settings

from accounts.models import User
from tests.accounts.post import code_in, deliver
from tests.factories import PASSWORD, make_patient, make_user
from tests.pages.browser import signed_in, typed, words

pytestmark = pytest.mark.django_db

NEW = {
    "first_name": "Saskia",
    "last_name": "Kuipers",
    "email": "saskia@example.test",
    "password1": "a long and honest password",
}


def code_from_mail() -> str:
    return code_in(deliver()[-1])


def path_of_the_link(message: EmailMessage) -> str:
    (path,) = re.findall(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", message.body)
    return str(path)


def sign_in(browser: Client, user: User, **more: str):
    return browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD, **more})


def test_new_patient_signs_up_with_a_code_from_their_mail() -> None:
    browser = Client()
    response = browser.post("/accounts/signup/", NEW)
    assert response.headers["Location"] == "/accounts/confirm-email/"
    assert get_user(browser).is_anonymous
    assert deliver()[-1].to == ["saskia@example.test"]
    browser.post("/accounts/confirm-email/", {"code": code_from_mail()})
    user = get_user(browser)
    assert (user.email, user.get_full_name()) == ("saskia@example.test", "Saskia Kuipers")
    assert browser.get("/appointments/").status_code == 200


def test_wrong_code_proves_nothing_and_is_said() -> None:
    browser = Client()
    browser.post("/accounts/signup/", NEW)
    response = browser.post("/accounts/confirm-email/", {"code": "WRONG1"})
    assert "That is not the code we sent." in words(response)
    assert get_user(browser).is_anonymous


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_name", ""),
        ("last_name", "x" * 81),
        ("email", "no address"),
        ("password1", "12345678"),
        ("password1", "short"),
    ],
)
def test_wrong_details_keep_what_was_typed_except_the_password(field: str, value: str) -> None:
    response = Client().post("/accounts/signup/", NEW | {field: value})
    assert f'id="id_{field}_error"' in response.content.decode()
    kept = typed(response)
    assert kept["email"] == (NEW | {field: value})["email"]
    assert kept["password1"] == ""
    assert not User.objects.exists()


def test_sign_up_with_a_known_address_looks_like_any_other() -> None:
    """Nobody else may learn whether somebody has an account here."""
    known = make_patient(email=NEW["email"])
    taken = Client().post("/accounts/signup/", NEW)
    fresh = Client().post("/accounts/signup/", NEW | {"email": "fresh@example.test"})
    assert (taken.status_code, taken.headers["Location"]) == (302, fresh.headers["Location"])
    known.refresh_from_db()
    assert known.check_password(PASSWORD)
    assert User.objects.count() == 2


def test_patient_signs_in_by_a_code_and_without_a_password() -> None:
    user = make_patient()
    browser = Client()
    response = browser.post("/accounts/login/code/", {"email": user.email})
    assert response.headers["Location"] == "/accounts/login/code/confirm/"
    browser.post("/accounts/login/code/confirm/", {"code": code_from_mail()})
    assert get_user(browser) == user


def test_code_for_an_unknown_address_looks_like_any_other() -> None:
    browser = Client()
    response = browser.post("/accounts/login/code/", {"email": "nobody@example.test"})
    assert response.headers["Location"] == "/accounts/login/code/confirm/"
    browser.post("/accounts/login/code/confirm/", {"code": "ABCDEF"})
    assert get_user(browser).is_anonymous


def test_wrong_password_and_unknown_address_look_alike() -> None:
    user = make_patient()
    answers = [
        Client().post("/accounts/login/", {"login": login, "password": "wrong password"})
        for login in (user.email, "nobody@example.test")
    ]
    texts = [words(answer).replace(user.email, "") for answer in answers]
    assert answers[0].status_code == answers[1].status_code
    assert texts[0] == texts[1].replace("nobody@example.test", "")
    assert typed(answers[0])["login"] == user.email
    assert typed(answers[0])["password"] == ""


def test_disabled_account_is_not_signed_in() -> None:
    browser = Client()
    sign_in(browser, make_user(is_active=False))
    assert get_user(browser).is_anonymous


def test_account_with_an_unproven_address_is_asked_for_a_code_first() -> None:
    browser = Client()
    response = sign_in(browser, make_user(verified=False))
    assert response.headers["Location"] == "/accounts/confirm-email/"
    assert get_user(browser).is_anonymous


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "https://testserver.evil.example/",
    ],
)
def test_sign_in_and_out_lead_to_our_own_pages_only(target: str) -> None:
    browser = Client()
    inside = sign_in(browser, make_patient(), next=target)
    assert inside.headers["Location"] == "/after-sign-in/"
    outside = browser.post("/accounts/logout/", {"next": target})
    assert outside.headers["Location"] == "/"


def test_sign_in_leads_back_to_where_one_was() -> None:
    response = sign_in(Client(), make_patient(), next="/schedule/")
    assert response.headers["Location"] == "/schedule/"


def test_sign_out_asks_first_and_a_link_alone_does_nothing() -> None:
    browser, user = Client(), make_patient()
    browser.force_login(user)
    assert "Sign out?" in words(browser.get("/accounts/logout/"))
    assert get_user(browser) == user
    browser.post("/accounts/logout/")
    assert get_user(browser).is_anonymous


def test_sign_in_page_asks_for_the_password_before_it_offers_a_new_one() -> None:
    page = signed_in().get("/accounts/login/").content.decode()
    assert page.index('name="password"') < page.index("Forgot your password?")


def test_page_that_asks_before_signing_out_leads_back_as_well() -> None:
    page = signed_in(make_patient()).get("/accounts/logout/")
    assert "Sign out Stay signed in" in words(page)


def test_forgotten_password_is_chosen_anew_by_a_link_that_works_once() -> None:
    user = make_patient()
    known = Client().post("/accounts/password/reset/", {"email": user.email})
    unknown = Client().post("/accounts/password/reset/", {"email": "nobody@example.test"})
    assert known.headers["Location"] == unknown.headers["Location"]
    message = next(each for each in deliver() if each.to == [user.email])
    path = path_of_the_link(message)
    browser = Client()
    form = browser.get(path, follow=True)
    assert "Choose a new password" in words(form)
    browser.post(
        form.request["PATH_INFO"],
        {"password1": "another honest password", "password2": "another honest password"},
    )
    user.refresh_from_db()
    assert user.check_password("another honest password")
    assert "This link no longer works" in words(Client().get(path, follow=True))


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/login/code/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
    ],
)
def test_entrance_pages_are_ours_and_kept_by_no_cache(path: str) -> None:
    page = Client().get(path)
    assert page.status_code == 200
    assert "DocBook" in words(page)
    assert "no-store" in page.headers["Cache-Control"]
    assert "style=" not in page.content.decode()


@override_settings(ROOT_URLCONF="docbook.urls")
def test_inbox_of_development_does_not_exist_in_production() -> None:
    for path in ("/dev/inbox/", "/dev/inbox/?format=json", "/dev/inbox/x/html/"):
        assert Client().get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/metrics", "/.git/config", "/.env", "/__debug__/", "/static/../manage.py"]
)
def test_what_is_nobodys_business_is_not_there(path: str) -> None:
    assert Client().get(path).status_code == 404
