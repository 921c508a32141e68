"""One table declares all limits, and no other place has a rate."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from docbook.http import rate_policies
from docbook.http.rate_policies import POLICIES, WithoutRedis

TABLE = Path(rate_policies.__file__)
RATE = re.compile(r"""["']\d+/\d*[smhd]["']|\bRate\(""")
NAMED = re.compile(r"""limits?_of\(\s*(?:"([^"]+)"|"([^"]+)" if)""")
# A network's limit, and the one of its users.
OF_BOTH = re.compile(r"""limits_of\(\s*"([^"]+)\"""")


def sources() -> Iterator[tuple[Path, str]]:
    for house in ("accounts", "bookings", "doctors", "docbook"):
        for path in (settings.BASE_DIR / house).rglob("*.py"):
            if path != TABLE and "migrations" not in path.parts:
                yield path, path.read_text()


def test_no_other_module_has_a_rate() -> None:
    assert {str(path): found for path, text in sources() if (found := RATE.findall(text))} == {}


def test_nothing_counts_past_the_table() -> None:
    """Neither decorators of django-ratelimit, nor throttles of REST framework."""
    other = re.compile("django_ratelimit|throttle_classes|throttle_scope|rest_framework.throttling")
    found = {path.name for path, text in sources() if other.search(text)}
    assert found == {"throttling.py", "limits_cache.py"}


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_is_used(name: str) -> None:
    of_users = {f"{each}-user" for _path, text in sources() for each in OF_BOTH.findall(text)}
    assert name in of_users or any(f'"{name}"' in text for _path, text in sources())


def test_every_limit_that_code_names_is_in_the_table() -> None:
    named = {first or second for _path, text in sources() for first, second in NAMED.findall(text)}
    assert named <= POLICIES.keys()
    assert len(named) > 15


@pytest.mark.parametrize("name", POLICIES)
def test_policy_says_why(name: str) -> None:
    policy = POLICIES[name]
    assert policy.why.endswith(".")
    assert min(policy.rate) > 0


def test_what_guards_accounts_and_mailboxes_never_passes_without_redis() -> None:
    passing = {name for name, each in POLICIES.items() if each.without_redis is WithoutRedis.PASSES}
    guards = ("sign-in", "accounts", "password", "mail", "reset", "codes", "guess")
    assert not [name for name in passing if name.startswith(guards)]
