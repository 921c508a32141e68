"""What a production server answers over https and over plain http, before any database is used."""

import json
import subprocess
import sys
from functools import cache
from typing import Any

import yaml

from devstack.layout import ROOT
from tests.deployment.test_production_settings import production

SECURE = ("/healthz", "/robots.txt", "/static/", "/static/css/", "/.git/config", "/dev/inbox/")
PATHS = {
    "http": ("/healthz", "/accounts/login/", "/api/v1/doctors", "/api/v1/schema/"),
    "https": (*SECURE, "/api/v1/schema/"),
}
COOKIES = [
    f"{cookie}_COOKIE_{what}"
    for cookie in ("SESSION", "CSRF")
    for what in ("SECURE", "HTTPONLY", "SAMESITE")
]
ASK = f"""
import json, django
from django.conf import settings
# Files are not collected here.
plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
settings.STORAGES["staticfiles"]["BACKEND"] = plain
django.setup()
from django.test import Client
browser = Client(SERVER_NAME="docbook.example.org")
answers = {{}}
for scheme, paths in {PATHS}.items():
    for path in paths:
        answer = browser.get(path, secure=scheme == "https")
        answers[scheme + " " + path] = [answer.status_code, dict(answer.headers)]
names = ["DEBUG", "PASSWORD_HASHERS", *{COOKIES}]
known = {{name: getattr(settings, name) for name in names}}
print(json.dumps({{"answers": answers, "settings": known}}))
"""


@cache
def told() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=production(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def answer(request: str) -> tuple[int, dict[str, str]]:
    status, headers = told()["answers"][request]
    return status, headers


def test_page_over_plain_http_leads_to_https_and_the_api_refuses() -> None:
    status, headers = answer("http /accounts/login/")
    assert (status, headers["Location"]) == (301, "https://docbook.example.org/accounts/login/")
    for path in ("/api/v1/doctors", "/api/v1/schema/"):
        status, headers = answer(f"http {path}")
        assert status == 403
        assert "Location" not in headers
        assert headers["Content-Type"] == "application/problem+json"
    assert answer("https /api/v1/schema/")[0] == 200


def test_every_answer_over_https_keeps_browsers_there_for_a_year_and_more() -> None:
    for request, (_status, headers) in told()["answers"].items():
        if request.startswith("https"):
            policy = headers["Strict-Transport-Security"]
            assert "max-age=63072000" in policy
            assert "includeSubDomains" in policy


def test_no_answer_lets_another_site_read_it() -> None:
    for _status, headers in told()["answers"].values():
        assert "Access-Control-Allow-Origin" not in headers


def test_no_folder_no_history_and_nothing_of_development_is_shown() -> None:
    for path in ("/static/", "/static/css/", "/.git/config", "/dev/inbox/"):
        assert answer(f"https {path}")[0] == 404, path
    assert told()["settings"]["DEBUG"] is False


def test_cookies_of_production_are_secure_and_no_script_reads_them() -> None:
    known = told()["settings"]
    assert [known[name] for name in COOKIES] == [True, True, "Lax"] * 2


def test_passwords_of_production_are_kept_by_argon2() -> None:
    assert told()["settings"]["PASSWORD_HASHERS"][0].endswith("Argon2PasswordHasher")


def test_image_holds_the_product_and_neither_history_nor_tests() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert let_in.isdisjoint({".git", "tests", "devstack", "proof", "docs", ".env"})


def test_every_part_that_is_installed_is_named_with_its_version_and_its_digest() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-twilio.txt"):
        text = (ROOT / name).read_text().replace("\\\n", " ")
        parts = [
            line for line in text.splitlines() if line and not line.startswith(("#", "-", " "))
        ]
        assert len(parts) > 5
        assert [line for line in parts if "==" not in line or "--hash=sha256:" not in line] == []


def test_image_and_servers_are_named_with_a_version() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    images = {each["image"] for each in services.values() if "build" not in each}
    assert all(":" in image and not image.endswith(":latest") for image in images)
