"""Requests that are refused before they are read, and headers of every answer."""

import json
import logging
from io import StringIO

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from structlog.stdlib import ProcessorFormatter

from docbook.wsgi import application
from tests.api.client import problem

pytestmark = pytest.mark.django_db
MEGABYTES = 1024 * 1024


@pytest.mark.parametrize("path", ["/", "/doctors/", "/api/v1/doctors", "/nowhere"])
def test_trace_is_not_allowed_anywhere(path: str) -> None:
    assert Client().generic("TRACE", path).status_code == 405


@pytest.mark.parametrize("path", ["/doctors/%00/", "/doctors/?q=%00", "/accounts/login/?next=%00"])
def test_nul_in_the_address_of_a_page_is_a_bad_request(path: str) -> None:
    assert Client().get(path).status_code == 400


def test_nul_in_the_query_of_the_api_is_a_problem() -> None:
    problem(Client().get("/api/v1/doctors?q=%00"), code="malformed", status=400)


def test_eleven_megabytes_are_refused_without_being_read() -> None:
    body = json.dumps({"email": "x" * 11 * MEGABYTES})
    response = Client().post("/api/v1/auth/token", body, content_type="application/json")
    problem(response, code="too-large", status=413)


def test_eleven_megabytes_of_form_are_refused() -> None:
    assert Client().post("/book/", {"slot": "1" * 11 * MEGABYTES}).status_code == 413


@pytest.mark.parametrize("length", ["-5", "many", ""])
def test_content_length_that_is_no_number_breaks_nothing(length: str) -> None:
    assert Client().get("/healthz", CONTENT_LENGTH=length).status_code == 200


def test_answer_carries_the_request_id_of_the_proxy() -> None:
    given = "0af7651916cd43dd8448eb211c80319c"
    response = Client().get("/healthz", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space 12345", "a\r\nSet-Cookie: b=c"])
def test_request_id_that_is_not_well_formed_is_replaced(given: str) -> None:
    response = Client().get("/healthz", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] != given
    assert len(response.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize("path", ["/", "/doctors/", "/accounts/login/", "/api/v1/docs/", "/gone"])
def test_every_page_is_strict_about_what_a_browser_may_do(path: str) -> None:
    headers = Client().get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:80@evil"])
def test_foreign_host_header_is_a_bad_request_with_one_line_in_the_log(
    host: str, monkeypatch
) -> None:
    root = logging.getLogger()
    (handler,) = (each for each in root.handlers if isinstance(each.formatter, ProcessorFormatter))
    monkeypatch.setattr(handler, "stream", StringIO())
    assert Client().get("/doctors/", headers={"Host": host}).status_code == 400
    (line,) = handler.stream.getvalue().splitlines()
    said = json.loads(line)
    assert (said["status"], said["level"], said["refusal"]) == (400, "info", "DisallowedHost")


def test_lost_database_is_a_503_that_says_when_to_come_back(monkeypatch, caplog) -> None:
    def gone(*_args: object, **_options: object) -> None:
        raise OperationalError

    monkeypatch.setattr("doctors.views.home.kept_specialties", gone)
    monkeypatch.setattr("doctors.api.doctors.search_doctors", gone)
    browser = Client(raise_request_exception=False)
    page = browser.get("/")
    assert page.status_code == 503
    assert int(page.headers["Retry-After"]) >= 1
    problem(browser.get("/api/v1/doctors"), code="unavailable", status=503)
    # Unlike a pause of booking, this is for the people who look after the machines.
    loud = [each.name for each in caplog.records if each.levelno >= logging.ERROR]
    assert loud == ["django.request", "django.request"]


def test_error_of_ours_is_a_page_without_a_stack_and_a_problem(monkeypatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("doctors.views.home.kept_specialties", broken)
    monkeypatch.setattr("doctors.api.doctors.search_doctors", broken)
    page = Client(raise_request_exception=False).get("/")
    answer = Client(raise_request_exception=False).get("/api/v1/doctors")
    assert page.status_code == 500
    start = page.headers["X-Request-ID"][:8].upper()
    assert f"{start[:4]}-{start[4:]}" in page.content.decode()
    problem(answer, code="error", status=500)
    for response in (page, answer):
        assert b"secret" not in response.content
        assert b"Traceback" not in response.content


def test_page_that_is_sent_too_much_answers_with_a_page() -> None:
    response = Client().post("/book/", CONTENT_LENGTH="2000000")
    assert response.status_code == 413
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("charset", ["hex", "rot13", "undefined", "utf-7", "x" * 50])
@pytest.mark.parametrize("path", ["/doctors/", "/api/v1/doctors"])
def test_charset_that_reads_nothing_is_a_bad_request(charset: str, path: str) -> None:
    said: list[str] = []
    request = RequestFactory().get(path, {"q": "aé"})
    environ = request.environ | {"CONTENT_TYPE": f"text/plain; charset={charset}"}
    b"".join(application(environ, lambda status, _headers: said.append(status)))
    assert said == ["400 Bad Request"]
