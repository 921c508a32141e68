"""The second factor: who needs it, which codes count, and what stays closed without one."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.auth import get_user
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import second_factor
from accounts.models import User
from docbook.errors import RateLimited
from docbook.http.htmx import BY_ITSELF
from docbook.http.rate_policies import POLICIES
from tests.api.client import Api, problem
from tests.factories import (
    PASSWORD,
    make_admin,
    make_doctor,
    make_patient,
    make_secretary,
    make_user,
)
from tests.pages.browser import signed_in, words
from tests.pages.test_accounts import code_from_mail

pytestmark = pytest.mark.django_db


def set_up(user: User) -> str:
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    return secret


def code_of(secret: str, *, periods: int = 0) -> str:
    period = int(timezone.now().timestamp()) // second_factor.PERIOD_SECONDS
    code: str = format_hotp_value(hotp_value(secret, period + periods))
    return code


def wrong_code(secret: str) -> str:
    right = {code_of(secret, periods=each) for each in range(-3, 4)}
    return next(code for code in ("000000", "111111", "222222") if code not in right)


def recovery_codes(user: User) -> list[str]:
    row = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    codes: list[str] = row.wrap().get_unused_codes()
    return codes


def sign_in(user: User) -> tuple[Client, Any]:
    browser = Client()
    return browser, browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def sign_in_with(user: User, code: str) -> Client:
    browser, _ = sign_in(user)
    browser.post("/accounts/2fa/authenticate/", {"code": code})
    return browser


STAFF = {
    "staff": lambda: make_user(is_staff=True),
    "superuser": make_admin,
    "doctor": lambda: make_doctor(user=make_user()).user,
    "secretary": lambda: make_secretary(doctor=make_doctor()),
}
DOOR = {
    "staff": "/admin/",
    "superuser": "/admin/",
    "doctor": "/schedule/",
    "secretary": "/schedule/",
}


@pytest.fixture(params=STAFF)
def role(request) -> str:
    return str(request.param)


# -- what a code is worth


def test_code_of_the_app_counts_once() -> None:
    user = make_user()
    code = code_of(set_up(user))
    now = timezone.now()
    assert second_factor.use_code(user=user, code=code, now=now) is not None
    assert second_factor.use_code(user=user, code=code, now=now) is None


@pytest.mark.parametrize(("periods", "counts"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_codes_of_the_half_minute_before_and_after_count(periods: int, counts: bool) -> None:
    user = make_user()
    code, now = set_up(user), timezone.now()
    period = int(now.timestamp()) // 30 + periods
    digits = format_hotp_value(hotp_value(code, period))
    assert (second_factor.use_code(user=user, code=digits, now=now) is not None) is counts


def test_recovery_code_counts_once_and_the_others_stay() -> None:
    user = make_user()
    set_up(user)
    first, second, *_ = recovery_codes(user)
    now = timezone.now()
    assert second_factor.use_code(user=user, code=first, now=now)
    assert not second_factor.use_code(user=user, code=first, now=now)
    assert second_factor.use_code(user=user, code=second, now=now)


def test_eleventh_wrong_code_in_a_day_is_not_looked_at_even_if_it_is_right() -> None:
    user, now = make_user(), timezone.now()
    secret = set_up(user)
    for _ in range(POLICIES["second-factor"].rate.most):
        assert not second_factor.use_code(user=user, code=wrong_code(secret), now=now)
    with pytest.raises(RateLimited):
        second_factor.use_code(user=user, code=code_of(secret), now=now)
    later = now + timedelta(days=1, seconds=1)
    period = int(later.timestamp()) // 30
    assert second_factor.use_code(
        user=user, code=format_hotp_value(hotp_value(secret, period)), now=later
    )


@pytest.mark.parametrize("code", ["", " ", "x", "12345", "1234567", "٠٠٠٠٠٠", "\x00" * 6, "9" * 19])
def test_what_is_no_code_is_a_wrong_one(code: str) -> None:
    user = make_user()
    set_up(user)
    assert second_factor.use_code(user=user, code=code, now=timezone.now()) is None


@pytest.mark.django_db(transaction=True)
def test_one_code_used_by_many_at_once_counts_once() -> None:
    user = make_user()
    code, now = code_of(set_up(user)), timezone.now()

    def use(_number: int) -> bool:
        try:
            return second_factor.use_code(user=user, code=code, now=now) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(use, range(6))) == [False] * 5 + [True]


# -- signing in


def test_password_alone_does_not_open_an_account_with_a_second_factor() -> None:
    user = make_admin()
    set_up(user)
    browser, answer = sign_in(user)
    assert answer.headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert get_user(browser).is_anonymous
    assert "Second step" in words(browser.get("/accounts/2fa/authenticate/"))


def test_code_by_mail_alone_does_not_open_an_account_with_a_second_factor() -> None:
    user = make_admin()
    set_up(user)
    browser = Client()
    browser.post("/accounts/login/code/", {"email": user.email})
    answer = browser.post("/accounts/login/code/confirm/", {"code": code_from_mail()})
    assert answer.headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert get_user(browser).is_anonymous


def test_password_and_code_open_it_and_a_wrong_code_is_said_at_its_field() -> None:
    user = make_admin()
    secret = set_up(user)
    browser, _ = sign_in(user)
    answer = browser.post("/accounts/2fa/authenticate/", {"code": wrong_code(secret)})
    assert "That code is not right, or it was used before." in words(answer)
    assert get_user(browser).is_anonymous
    browser.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert get_user(browser) == user


def test_recovery_code_opens_it_too() -> None:
    user = make_admin()
    set_up(user)
    assert get_user(sign_in_with(user, recovery_codes(user)[0])) == user


def test_door_of_the_admin_takes_no_password_of_its_own() -> None:
    user, staff = make_admin(), make_user(is_staff=True)
    credentials = {"username": user.email, "password": PASSWORD}
    browser = Client()
    answer = browser.post("/admin/login/?next=/admin/", credentials)
    assert answer.headers["Location"].startswith("/accounts/login/")
    browser = signed_in(staff)
    browser.post("/admin/login/?next=/admin/", credentials)
    assert get_user(browser) == staff


def test_admin_changes_no_password_of_its_own() -> None:
    answer = signed_in(make_admin()).get("/admin/password_change/")
    assert answer.headers["Location"] == "/accounts/password/change/"


# -- where it is required


def test_those_who_work_here_set_it_up_before_anything_opens(settings, role: str) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    browser, _ = sign_in(STAFF[role]())
    answer = browser.get(DOOR[role])
    assert answer.headers["Location"].startswith("/accounts/2fa/totp/activate/")


def test_password_is_not_asked_for_again_right_after_signing_in(settings, role: str) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    browser, _ = sign_in(STAFF[role]())
    page = browser.get("/accounts/2fa/totp/activate/")
    assert page.status_code == 200
    assert "<svg" in page.content.decode()


def test_password_is_asked_for_again_some_minutes_after_signing_in(settings, monkeypatch) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    browser, _ = sign_in(make_admin())
    monkeypatch.setattr("accounts.adapter.SIGNED_IN_LATELY", 0)
    answer = browser.get("/accounts/2fa/totp/activate/")
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")


def test_password_of_a_sign_in_changes_no_second_factor_that_is_set_up(settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    user = make_admin()
    browser = sign_in_with(user, code_of(set_up(user)))
    answer = browser.get("/accounts/2fa/recovery-codes/generate/")
    assert "reauthenticate" in answer.headers["Location"]


@pytest.mark.parametrize("path", ["totp/deactivate/", "recovery-codes/generate/"])
def test_password_of_a_sign_in_sets_up_the_first_second_factor_and_changes_it_no_more(
    path: str,
) -> None:
    user = make_patient()
    browser, _ = sign_in(user)
    page = browser.get("/accounts/2fa/totp/activate/").content.decode()
    (secret,) = re.findall(r"qr-key\">([A-Z2-7]+)<", page)
    browser.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    codes = recovery_codes(user)
    assert browser.get("/accounts/2fa/recovery-codes/").status_code == 200
    answer = browser.post(f"/accounts/2fa/{path}")
    assert "reauthenticate" in answer.headers["Location"]
    assert recovery_codes(user) == codes
    assert second_factor.has_one(user)


def test_code_by_mail_neither_opens_the_admin_nor_sets_up_a_second_factor(settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    user = make_admin()
    browser = Client()
    browser.post("/accounts/login/code/", {"email": user.email})
    browser.post("/accounts/login/code/confirm/", {"code": code_from_mail()})
    assert get_user(browser) == user
    assert browser.get("/admin/").status_code == 302
    answer = browser.get("/accounts/2fa/totp/activate/")
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")


def test_setting_it_up_opens_the_practice_and_shows_recovery_codes(settings, role: str) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    user = STAFF[role]()
    browser, _ = sign_in(user)
    page = browser.get("/accounts/2fa/totp/activate/", follow=True)
    if "Enter your password again" in words(page):
        page = browser.post(
            page.redirect_chain[-1][0],
            {"password": PASSWORD, "next": "/accounts/2fa/totp/activate/"},
            follow=True,
        )
    html = unescape(page.content.decode())
    assert "<svg" in html
    assert "data:image" not in html
    secret = re.search(r"qr-key\">([A-Z2-7]+)<", html)
    assert secret
    done = browser.post("/accounts/2fa/totp/activate/", {"code": code_of(secret[1])}, follow=True)
    assert all(code in done.content.decode() for code in recovery_codes(user))
    assert browser.get(DOOR[role]).status_code == 200


def test_session_that_has_given_no_code_is_asked_for_one(settings, role: str) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    user = STAFF[role]()
    secret = set_up(user)
    browser = signed_in(user)
    answer = browser.get(DOOR[role])
    assert answer.headers["Location"].startswith("/accounts/2fa/reauthenticate/")
    browser.post("/accounts/2fa/reauthenticate/", {"code": code_of(secret)})
    assert browser.get(DOOR[role]).status_code == 200


def test_signing_in_with_both_opens_the_practice_at_once(settings, role: str) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    user = STAFF[role]()
    browser = sign_in_with(user, code_of(set_up(user)))
    assert browser.get(DOOR[role]).status_code == 200


def test_second_factor_that_is_required_cannot_be_removed(settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    user = make_admin()
    secret = set_up(user)
    browser = signed_in(user)
    browser.post("/accounts/2fa/reauthenticate/", {"code": code_of(secret)})
    page = browser.post("/accounts/2fa/totp/deactivate/")
    assert "Your account needs a second step to sign in." in words(page)
    assert second_factor.has_one(user)


def test_patients_need_none_and_a_doctor_books_as_a_patient_without_one(settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    for user in (make_patient(), make_doctor(user=make_user()).user):
        browser, _ = sign_in(user)
        assert browser.get("/appointments/").status_code == 200


def test_where_it_is_not_required_sign_in_stays_one_step(role: str) -> None:
    browser, _ = sign_in(STAFF[role]())
    assert browser.get(DOOR[role]).status_code == 200


# -- the API


def token(user: User, *, otp: str = "", **headers: str) -> Any:
    body = {"email": user.email, "password": PASSWORD} | ({"otp": otp} if otp else {})
    return Api().post("auth/token", body, **headers)


def test_api_asks_for_the_code_of_those_who_have_a_second_factor() -> None:
    user = make_patient()
    secret = set_up(user)
    problem(token(user), code="second-factor-required", status=401)
    problem(token(user, otp=wrong_code(secret)), code="second-factor-wrong", status=401)
    code = code_of(secret)
    assert token(user, otp=code).status_code == 200
    problem(token(user, otp=code), code="second-factor-wrong", status=401)


def test_api_takes_a_recovery_code() -> None:
    user = make_patient()
    set_up(user)
    assert token(user, otp=recovery_codes(user)[0]).status_code == 200


def test_wrong_codes_of_the_api_and_of_pages_are_counted_together() -> None:
    user = make_patient()
    secret = set_up(user)
    for number in range(5):
        token(user, otp=wrong_code(secret), X_Forwarded_For=f"192.0.2.{number}")
        sign_in_with(user, wrong_code(secret))
    problem(token(user, otp=code_of(secret)), code="rate-limited", status=429)


def test_right_code_does_not_forget_the_wrong_ones_of_somebody_else() -> None:
    """Otherwise somebody who knows the password would get nine more tries at each sign-in of the
    owner.
    """
    user = make_patient()
    secret = set_up(user)
    for number in range(9):
        token(user, otp=wrong_code(secret), X_Forwarded_For=f"192.0.2.{number}")
    used, other, *_rest = recovery_codes(user)
    assert token(user, otp=used, X_Forwarded_For="192.0.2.100").status_code == 200
    token(user, otp=wrong_code(secret), X_Forwarded_For="192.0.2.101")
    answer = token(user, otp=other, X_Forwarded_For="192.0.2.102")
    problem(answer, code="rate-limited", status=429)


def test_api_tells_a_wrong_password_nothing_of_the_second_factor() -> None:
    user = make_patient()
    secret = set_up(user)
    body = {"email": user.email, "password": "not it", "otp": code_of(secret)}
    problem(Api().post("auth/token", body), code="unauthenticated", status=401)


def test_api_gives_no_token_to_those_who_miss_a_required_second_factor(settings, role: str) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    user = STAFF[role]()
    problem(token(user), code="second-factor-required", status=401)
    assert token(user, otp=code_of(set_up(user))).status_code == 200


def test_token_from_before_it_was_required_shows_no_patients(settings, role: str) -> None:
    doctor = make_doctor()
    user = STAFF[role]()
    settings.REQUIRE_SECOND_FACTOR = True
    answer = Api(user).get(f"doctors/{doctor.pk}/appointments", {"date": "2026-11-28"})
    problem(answer, code="second-factor-required", status=401)


# -- how long a session of work lasts


def expiry(browser: Client) -> int:
    return int(browser.session.get_expiry_age())


def test_session_of_work_ends_after_half_an_hour_without_a_page(role: str) -> None:
    browser, _ = sign_in(STAFF[role]())
    browser.get(DOOR[role])
    assert 1700 < expiry(browser) <= 1800


def test_each_page_moves_the_end_until_the_day_of_work_is_over() -> None:
    browser, _ = sign_in(make_admin())
    browser.get("/admin/")
    session = browser.session
    session["work_began"] -= 12 * 3600 - 600
    session["work_seen"] -= 120
    session.save()
    assert browser.get("/admin/").status_code == 200
    assert 500 < expiry(browser) <= 600
    session = browser.session
    session["work_began"] -= 600
    session.save()
    browser.get("/admin/")
    assert get_user(browser).is_anonymous


def test_page_that_refreshes_itself_does_not_move_the_end() -> None:
    doctor = make_doctor()
    browser, _ = sign_in(make_secretary(doctor=doctor))
    browser.get("/schedule/")
    session = browser.session
    session["work_seen"] -= 120
    session.save()
    for path in ("/schedule/", f"/events/doctors/{doctor.pk}/"):
        assert browser.get(path, headers={BY_ITSELF: "1"}).status_code in (200, 204)
        assert browser.session["work_seen"] == session["work_seen"]
    browser.get("/schedule/")
    assert browser.session["work_seen"] > session["work_seen"]


def test_patient_stays_signed_in_for_fourteen_days_and_costs_no_write() -> None:
    browser, _ = sign_in(make_patient())
    browser.get("/appointments/")
    assert expiry(browser) > 13 * 86400
    assert not {"work_began", "work_seen"} & set(browser.session.keys())


def test_patient_who_becomes_a_secretary_has_a_session_of_work_from_then_on() -> None:
    user = make_patient()
    browser = signed_in(user)
    doctor = make_doctor()
    doctor.secretaries.create(secretary=user)
    browser.get("/schedule/")
    assert expiry(browser) <= 1800
