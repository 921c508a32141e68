"""Addresses that programs look for on every site, and headers of every answer."""

import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from django.contrib.messages import success
from django.contrib.messages.storage import default_storage
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from devstack.layout import ROOT
from tests.deployment.test_production_settings import production

pytestmark = pytest.mark.django_db


def test_security_txt_names_a_contact_and_does_not_expire_for_months(settings) -> None:
    settings.SECURITY_CONTACT = "mailto:security@docbook.example.org"
    response = Client().get("/.well-known/security.txt")
    fields = dict(line.split(": ", 1) for line in response.content.decode().splitlines())
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert fields["Contact"] == "mailto:security@docbook.example.org"
    left = datetime.fromisoformat(fields["Expires"]) - timezone.now()
    assert timedelta(days=90) < left < timedelta(days=365)


def test_password_managers_find_the_page_that_changes_a_password() -> None:
    response = Client().get("/.well-known/change-password")
    assert (response.status_code, response["Location"]) == (302, "/accounts/password/change/")


def test_robots_are_kept_from_what_is_private() -> None:
    lines = Client().get("/robots.txt").content.decode().splitlines()
    assert {"User-agent: *", "Disallow: /appointments/", "Disallow: /api/"} <= set(lines)


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/api/v1/doctors", "/nowhere", "/static/css/core.css", "/robots.txt"]
)
def test_no_other_site_may_use_an_answer_of_ours(path: str) -> None:
    headers = Client().get(path).headers
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_picture_of_our_mails_is_shown_where_people_read_mail() -> None:
    headers = Client().get("/static/img/mark-email.png").headers
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_message_waits_in_the_cookie_that_the_settings_name() -> None:
    request = RequestFactory().get("/")
    request.session = {}
    request._messages = default_storage(request)
    success(request, "Saved.")
    response = HttpResponse()
    request._messages.update(response)
    assert list(response.cookies) == ["messages"]


def test_every_cookie_of_production_belongs_to_this_host_alone() -> None:
    names = "SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.MESSAGE_COOKIE_NAME"
    show = f"import docbook.settings.prod as s; print(s.{names})"
    command = [sys.executable, "-c", show]
    done = subprocess.run(
        command, env=production(), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["__Host-session", "__Host-csrf", "__Host-messages"]
