"""What begins a browser's session, what ends it, and what a browser keeps of it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import account_events
from accounts.models import User
from docbook.audit.models import AuditEvent
from tests.accounts.test_second_factor import token
from tests.admin.test_rights import clerk
from tests.api.client import Api
from tests.factories import PASSWORD, make_admin, make_patient, make_user
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db
NEW = "a new and honest password"


def key_of(browser: Client) -> str:
    return browser.cookies["sessionid"].value


def sign_in(browser: Client, user: User) -> None:
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert get_user(browser) == user


def test_sign_in_gives_a_session_another_name_that_nobody_can_guess() -> None:
    browser, user = Client(), make_patient()
    session = browser.session
    session["before"] = "kept"
    session.save()
    before = key_of(browser)
    sign_in(browser, user)
    assert key_of(browser) != before
    assert len(key_of(browser)) == 32  # of 36 letters and digits: 165 bits
    assert not browser.session.exists(before)


def test_session_of_somebody_who_shows_again_who_they_are_gets_another_name() -> None:
    browser = signed_in(make_patient())
    before = key_of(browser)
    browser.post("/accounts/reauthenticate/", {"password": "a wrong one"})
    assert key_of(browser) == before
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert key_of(browser) != before
    assert not browser.session.exists(before)
    assert browser.get("/accounts/email/").status_code == 200


def test_stranger_who_asks_to_show_again_who_they_are_gets_no_session() -> None:
    browser = Client()
    answer = browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer.headers["Location"].startswith("/accounts/login/")
    assert "sessionid" not in browser.cookies
    assert not Session.objects.exists()


@pytest.mark.parametrize("door", ["/accounts/logout/", "/admin/logout/"])
def test_session_that_was_signed_out_opens_nothing_and_the_browser_forgets_the_site(
    door: str,
) -> None:
    browser = signed_in(make_admin())
    thief = Client()
    thief.cookies["sessionid"] = key_of(browser)
    assert thief.get("/appointments/").status_code == 200
    answer = browser.post(door)
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert thief.get("/appointments/").status_code == 302


def test_account_that_is_switched_off_loses_every_session_and_token() -> None:
    user = make_patient()
    browser, pair = signed_in(user), token(user).json()
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert get_user(browser).is_anonymous
    assert Api(user).get("bookings").status_code == 401
    assert Api().post("auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401


def end_sessions(*users: User, by: User) -> None:
    form = {"action": "end_all_sessions", "_selected_action": [user.pk for user in users]}
    signed_in(by).post(reverse("admin:accounts_user_changelist"), form)


def test_superuser_ends_the_sessions_of_those_who_are_chosen() -> None:
    users, admin = [make_patient(), make_user(is_staff=True)], make_admin()
    browsers = [signed_in(user) for user in users]
    pair = token(users[0]).json()
    end_sessions(*users, by=admin)
    assert all(get_user(browser).is_anonymous for browser in browsers)
    assert Api().post("auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401
    ended = AuditEvent.objects.filter(action="account.sessions_ended", actor_id=admin.pk)
    assert {each.object_id for each in ended} == {str(user.pk) for user in users}


def test_staff_end_no_session_of_somebody_who_works_here() -> None:
    colleague = make_user(is_staff=True)
    browser = signed_in(colleague)
    end_sessions(colleague, by=clerk("view_user", "change_user"))
    assert get_user(browser) == colleague


def test_owner_sees_their_apps_and_ends_every_session_but_their_own() -> None:
    user = make_patient()
    browser, other, pair = signed_in(user), signed_in(user), token(user).json()
    asked = browser.get("/accounts/sessions/")
    assert asked.headers["Location"].startswith("/accounts/reauthenticate/")
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert "You are also signed in with an app, since:" in words(browser.get("/accounts/sessions/"))
    after = browser.post("/accounts/sessions/", follow=True)
    assert "You are signed out everywhere else." in words(after)
    assert "No app is signed in." in words(after)
    assert (get_user(browser), get_user(other).is_anonymous) == (user, True)
    assert Api().post("auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401
    assert AuditEvent.objects.filter(action="account.sessions_ended", actor_id=user.pk).exists()


def test_borrowed_session_ends_no_other_without_the_password() -> None:
    user = make_patient()
    owner = signed_in(user)
    signed_in(user).post("/accounts/sessions/")
    assert get_user(owner) == user


def test_session_borrowed_right_after_a_sign_in_changes_nothing_without_the_password() -> None:
    user = make_patient()
    owner, borrowed = signed_in(user), Client()
    sign_in(borrowed, user)
    for path in ("/accounts/sessions/", "/accounts/email/"):
        answer = borrowed.post(path, {"action_add": "", "email": "thief@example.test"})
        assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert get_user(owner) == user
    assert not EmailAddress.objects.filter(email="thief@example.test").exists()


LONG = "a lamp, a river, an orange, a bicycle, a harbour and a small brown owl"


@pytest.mark.parametrize("password", ["ünïcödé ✓ and   spaces", LONG, "only small words here"])
def test_any_signs_and_lengths_make_a_password_and_each_of_them_counts(password: str) -> None:
    user = make_patient()
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    signed_in(user).post("/accounts/password/change/", form)
    user.refresh_from_db()
    assert user.check_password(password)
    for other in (password[:-1], f"{password} ", password.upper()):
        assert not user.check_password(other)


def test_password_is_not_changed_without_the_old_one() -> None:
    user = make_patient()
    form = {"oldpassword": "a wrong one", "password1": NEW, "password2": NEW}
    answer = signed_in(user).post("/accounts/password/change/", form)
    assert answer.status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/"])
def test_field_of_a_password_hides_it_and_lets_managers_fill_it(path: str) -> None:
    page = Client().get(path).content.decode()
    fields = [part.partition(">")[0] for part in page.split("<input")[1:]]
    (password,) = (each for each in fields if 'type="password"' in each)
    assert "autocomplete=" in password
    assert 'autocomplete="off"' not in password
    assert "onpaste" not in page


@pytest.mark.parametrize(
    "path", ["/appointments/", "/doctors/", "/accounts/email/", "/accounts/2fa/"]
)
def test_every_page_of_somebody_who_is_signed_in_can_sign_out(path: str) -> None:
    page = signed_in(make_patient()).get(path).content.decode()
    assert f'action="{reverse("account_logout")}"' in page


@pytest.mark.parametrize("key", ["\x00" * 32, "a" * 31 + "\x00", "A" * 32, "a" * 41, "é" * 32, "a"])
def test_key_that_no_session_has_is_a_stranger(key: str) -> None:
    browser = Client()
    browser.cookies["sessionid"] = key
    assert browser.get("/appointments/").status_code == 302


def test_end_of_all_sessions_counts_although_another_one_came_in_between() -> None:
    user = make_patient()
    first, second = User.objects.get(pk=user.pk), User.objects.get(pk=user.pk)
    account_events.end_sessions(first)
    account_events.end_sessions(second)
    user.refresh_from_db()
    assert (user.sessions_ended, second.sessions_ended) == (2, 2)
    assert first.get_session_auth_hash() != user.get_session_auth_hash()
    assert second.get_session_auth_hash() == user.get_session_auth_hash()


@pytest.mark.django_db(transaction=True)
def test_of_two_browsers_that_end_all_others_at_once_one_stays(monkeypatch) -> None:
    """The owner and a thief, both with the password."""
    user = make_patient()
    browsers = [Client(), Client()]
    for browser in browsers:
        sign_in(browser, user)
        browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    both_have_read, record = Barrier(2, timeout=30), account_events.record

    def record_together(action: str, *args, **more) -> None:
        if action == "sessions_ended":
            both_have_read.wait()
        record(action, *args, **more)

    monkeypatch.setattr(account_events, "record", record_together)

    def end_all_others(browser: Client) -> None:
        try:
            browser.post("/accounts/sessions/")
        finally:
            connection.close()

    with ThreadPoolExecutor() as threads:
        list(threads.map(end_all_others, browsers))
    assert sorted(browser.get("/appointments/").status_code for browser in browsers) == [200, 302]
