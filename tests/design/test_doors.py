"""Doors ask selectors and services. They build no queries."""

import ast
from collections.abc import Iterator
from pathlib import Path

from devstack.layout import ROOT

APPS = ("accounts", "bookings", "doctors")
DOORS = {"views", "api", "context_processors"}
QUERIES = {
    "aggregate",
    "annotate",
    "exclude",
    "exists",
    "filter",
    "first",
    "get_or_create",
    "in_bulk",
    "last",
    "objects",
    "prefetch_related",
    "select_for_update",
    "select_related",
    "values_list",
}


def doors() -> Iterator[Path]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if DOORS & {path.stem, *path.relative_to(ROOT).parts}:
                yield path


def test_views_and_api_build_no_queries() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for path in doors()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in QUERIES
    ]
    assert found == []
