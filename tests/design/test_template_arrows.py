"""Templates lean on each other in the same direction as code: bookings → doctors → accounts."""

import re
from collections.abc import Iterator

import pytest

from devstack.layout import ROOT

TEMPLATES = ROOT / "templates"
NAMED = re.compile(r"""{%\s*(?:extends|include)\s+["']([\w-]+)/""")
# What each folder may use besides itself and what belongs to everybody.
ALLOWED = {
    "account": {"allauth"},
    "allauth": {"account"},
    "bookings": {"doctors", "account"},
    "doctors": {"account"},
    "email": set(),
    "mfa": {"account", "allauth"},
}
EVERYBODYS = {"components", "email"}


def uses(folder: str) -> Iterator[tuple[str, str]]:
    for path in sorted((TEMPLATES / folder).rglob("*.*")):
        for other in NAMED.findall(path.read_text()):
            yield str(path.relative_to(TEMPLATES)), other


@pytest.mark.parametrize("folder", ALLOWED)
def test_templates_use_no_room_above_them(folder: str) -> None:
    allowed = ALLOWED[folder] | EVERYBODYS | {folder}
    assert [use for use in uses(folder) if use[1] not in allowed] == []


def test_every_folder_of_an_app_is_looked_at() -> None:
    rest = {"admin", "components", "drf_spectacular"}
    assert {each.name for each in TEMPLATES.iterdir() if each.is_dir()} == set(ALLOWED) | rest
