"""Production does not start with a secret that anybody could guess, and names what is wrong."""

import os
import secrets
import subprocess
import sys

import pytest

from devstack.layout import ROOT

RINGS = ("SECRET_KEY", "OTP_KEYS", "JWT_KEYS", "SECOND_FACTOR_KEYS")
KEY = secrets.token_urlsafe(48)


def production(**changes: str) -> dict[str, str]:
    """The environment of a sound server, except for the changes."""
    sound = {name: secrets.token_urlsafe(48) for name in RINGS}
    sound |= {
        "DJANGO_SETTINGS_MODULE": "docbook.settings.prod",
        "ALLOWED_HOSTS": "docbook.example.org,.clinics.example.org",
        "SITE_URL": "https://docbook.example.org",
        "DATABASE_URL": f"postgresql://docbook:{secrets.token_hex(8)}@db/docbook",
        "REDIS_URL": "redis://redis/0",
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | sound | changes


def _start(**changes: str) -> str:
    """The last line that the settings print; "" if they load."""
    done = subprocess.run(
        [sys.executable, "-c", "import docbook.settings.prod"],
        env=production(**changes),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"METRICS_TOKEN": secrets.token_hex(16)},
        {"OTP_KEYS": f"{secrets.token_hex(32)},{secrets.token_hex(32)}"},
        {"SITE_URL": "https://north.clinics.example.org"},
        {"DATABASE_URL": "postgresql:///docbook"},
    ],
)
def test_sound_settings_start(changes: dict[str, str]) -> None:
    assert _start(**changes) == ""


GUESSED = (
    "a" * 64,
    "abc" * 20,
    "0123456789" * 5,
    "abcdefghijklmnopqrstuvwxyzabcdefghijk",
    "django-insecure-l2k4j5h6g7f8d9s0a1q2w3e4r5t6",
    "only-while-this-image-is-built-and-never-after",
    "development-only-secret-key-development-only-secret-key",
    "Change_Me-l2k4j5h6g7f8d9s0a1q2w3e4r5t6",
    "Uwi43bp3HfhzWKtt",
)


@pytest.mark.parametrize("name", [*RINGS, "METRICS_TOKEN"])
def test_secret_that_can_be_guessed_is_refused_by_name_and_not_repeated(name: str) -> None:
    said = _start(**{name: "a" * 64})
    assert name in said
    assert "aaa" not in said


@pytest.mark.parametrize("value", GUESSED)
def test_every_kind_of_guess_is_refused(value: str) -> None:
    assert "SECRET_KEY" in _start(SECRET_KEY=value)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"SECRET_KEY": KEY, "OTP_KEYS": KEY}, "OTP_KEYS"),
        ({"OTP_KEYS": f"{secrets.token_hex(32)},{KEY}", "JWT_KEYS": KEY}, "JWT_KEYS"),
        ({"JWT_KEYS": KEY, "METRICS_TOKEN": KEY}, "METRICS_TOKEN"),
        ({"JWT_KEYS": f"{KEY},{KEY}"}, "JWT_KEYS"),
        ({"JWT_KEYS": ","}, "JWT_KEYS"),
        ({"JWT_KEYS": KEY, "SECOND_FACTOR_KEYS": KEY}, "SECOND_FACTOR_KEYS"),
        ({"SECOND_FACTOR_KEYS": ""}, "SECOND_FACTOR_KEYS"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "docbook.example.org,*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*.example.org"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({"SITE_URL": "http://docbook.example.org"}, "SITE_URL"),
        ({"SITE_URL": "https://other.example.org"}, "SITE_URL"),
        ({"SITE_URL": "docbook.example.org"}, "SITE_URL"),
        ({"DATABASE_URL": "postgresql://docbook:docbook@db/docbook"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://postgres:postgres@db/docbook"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://docbook:password@db/docbook"}, "DATABASE_URL"),
        ({"DEBUG": "true"}, "DEBUG"),
    ],
)
def test_what_makes_production_unsafe_is_refused_by_name(
    changes: dict[str, str], name: str
) -> None:
    assert name in _start(**changes)


@pytest.mark.parametrize("password", ["p@ss/w#rd?%41:&", "plain"])
def test_password_reaches_both_servers_as_it_was_given(password: str, tmp_path) -> None:
    path = tmp_path / "password"
    path.write_text(f"{password}\n")
    show = (
        "import docbook.settings.prod as s; from redis import Redis;"
        "ask = lambda url: Redis.from_url(url).get_connection_kwargs()['password'];"
        "print(s.DATABASES['default']['PASSWORD'], ask(s.REDIS_URL), ask(s.CELERY_BROKER_URL))"
    )
    files = {"DATABASE_PASSWORD_FILE": str(path), "REDIS_PASSWORD_FILE": str(path)}
    urls = {"DATABASE_URL": "postgresql://docbook@db/docbook", "REDIS_URL": "redis://redis:6379/0"}
    done = subprocess.run(
        [sys.executable, "-c", show],
        env=production(**urls, **files),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [password] * 3
