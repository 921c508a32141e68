"""The ten packages that DocBook is built on: listed, and imported by the product or its tests."""

import ast
from pathlib import Path

import pytest

from devstack.layout import ROOT

MODULES = {
    "django": "django",
    "djangorestframework": "rest_framework",
    "djangorestframework-simplejwt": "rest_framework_simplejwt",
    "psycopg": "psycopg",
    "django-redis": "django_redis",
    "celery": "celery",
    "django-ratelimit": "django_ratelimit",
    "django-htmx": "django_htmx",
    "pytest-django": "pytest_django",
    "factory-boy": "factory",
}
SOURCES = ("accounts", "bookings", "docbook", "doctors", "tests")


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name.partition(".")[0] for name in found}


def all_imported() -> set[str]:
    paths = [path for folder in SOURCES for path in (ROOT / folder).rglob("*.py")]
    return set().union(*map(imported, paths))


def asked_for() -> set[str]:
    lines = [
        line
        for path in ROOT.glob("requirements*.in")
        for line in path.read_text().splitlines()
        if line and line[0].isalpha()
    ]
    return {line.split()[0].partition("[")[0].partition(">")[0].partition("=")[0] for line in lines}


def test_the_ten_packages_are_asked_for() -> None:
    assert MODULES.keys() - asked_for() == set()


@pytest.mark.parametrize("package", MODULES)
def test_each_of_the_ten_packages_is_imported(package: str) -> None:
    assert MODULES[package] in all_imported()
