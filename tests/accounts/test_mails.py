"""Mails of accounts go through the outbox: a dead SMTP server delays nobody, and nothing is
lost.
"""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user
from django.test import Client
from django.utils import timezone

from accounts.models import AccountCode, AccountMail
from accounts.retention import purge_codes
from devstack.ports import LOOPBACK, free_port
from docbook.outbox.models import OutboxMessage
from tests.accounts.post import code_in, deliver
from tests.factories import make_patient
from tests.pages.browser import words
from tests.smtp import post_office

pytestmark = pytest.mark.django_db
NEW = {
    "first_name": "Saskia",
    "last_name": "Kuipers",
    "email": "saskia@example.test",
    "password1": "a long and honest password",
}
CODE = "/accounts/login/code/"


@pytest.fixture
def smtp_gone(settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = LOOPBACK, free_port()


def wake() -> None:
    """Ends the pause after a failure."""
    OutboxMessage.objects.filter(done_at=None).update(next_attempt_at=timezone.now())


def ask_for_everything(email: str) -> None:
    Client().post("/accounts/signup/", NEW)
    for path in (CODE, "/accounts/password/reset/"):
        Client().post(path, {"email": email})
        Client().post(path, {"email": "nobody@example.test"})
    Client().post("/accounts/signup/", NEW | {"email": email})


@pytest.mark.usefixtures("smtp_gone")
def test_all_mails_arrive_once_the_mail_server_is_back() -> None:
    email = make_patient().email
    ask_for_everything(email)
    deliver()
    failed = OutboxMessage.objects.filter(topic="account.mail", done_at=None)
    assert (failed.count(), AccountMail.objects.count()) == (6, 6)
    with post_office() as post:
        wake()
        deliver()
        sent = sorted(mail["To"] for mail in post.mails)
        assert sent == sorted([email] * 3 + ["nobody@example.test"] * 2 + [NEW["email"]])
        wake()
        deliver()
        assert len(post.mails) == 6
    assert not AccountMail.objects.exists()


@pytest.mark.usefixtures("smtp_gone")
def test_page_of_a_code_whose_mail_is_late_offers_to_send_it_again() -> None:
    user, browser = make_patient(), Client()
    page = browser.post(CODE, {"email": user.email}, follow=True)
    assert "It can take a minute" in words(page)
    assert "Send a new code" in words(page)
    deliver()
    with post_office() as post:
        wake()
        deliver()
        code = code_in_text(post.mails[0].get_body(("plain",)).get_content())
    browser.post(f"{CODE}confirm/", {"code": code})
    assert get_user(browser) == user


def code_in_text(text: str) -> str:
    (code,) = re.findall(r"Your code: (\d{6})\s", text)
    return str(code)


def test_outbox_names_ids_only() -> None:
    user = make_patient()
    ask_for_everything(user.email)
    payloads = list(OutboxMessage.objects.values_list("payload", "aggregate_id"))
    assert payloads
    for payload, about in payloads:
        assert set(payload) == {"mail_id"}
        assert "@" not in f"{payload} {about}"


def test_row_of_a_mail_holds_no_code_and_no_key() -> None:
    ask_for_everything(make_patient().email)
    assert {str(facts) for facts in AccountMail.objects.values_list("facts", flat=True)} == {"{}"}


def test_code_that_opens_nothing_any_more_is_not_sent() -> None:
    user, browser = make_patient(), Client()
    browser.post(CODE, {"email": user.email})
    browser.post(f"{CODE}confirm/", {"action": "resend"})
    assert len(deliver()) == 1
    Client().post(CODE, {"email": user.email})
    AccountCode.objects.update(expires_at=timezone.now())
    assert len(deliver()) == 1
    assert not AccountMail.objects.exists()


def test_code_is_refused_ten_minutes_after_it_was_asked_for() -> None:
    user, browser = make_patient(), Client()
    browser.post(CODE, {"email": user.email})
    code = code_in(deliver()[-1])
    AccountCode.objects.update(expires_at=timezone.now())
    browser.post(f"{CODE}confirm/", {"code": code})
    assert get_user(browser).is_anonymous


def test_codes_are_valid_for_ten_minutes_and_links_for_an_hour(settings) -> None:
    assert settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT == 600
    assert settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT == 600
    assert settings.PASSWORD_RESET_TIMEOUT == 3600


def test_old_rows_are_deleted() -> None:
    Client().post(CODE, {"email": make_patient().email})
    now = timezone.now()
    assert purge_codes(now=now) == 0
    assert purge_codes(now=now + timedelta(days=3)) == 2
