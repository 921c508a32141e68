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
    "bulk_create",
    "bulk_update",
    "count",
    "create",
    "delete",
    "distinct",
    "earliest",
    "exclude",
    "exists",
    "filter",
    "first",
    "get_list_or_404",
    "get_object_or_404",
    "get_or_create",
    "in_bulk",
    "iterator",
    "last",
    "latest",
    "objects",
    "order_by",
    "prefetch_related",
    "raw",
    "refresh_from_db",
    "save",
    "select_for_update",
    "select_related",
    "update",
    "update_or_create",
    "values_list",
}


def doors() -> Iterator[Path]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if DOORS & {path.stem, *path.relative_to(ROOT).parts}:
                yield path


def test_views_and_api_build_no_queries() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in doors()
        for line, name in calls_and_managers(ast.parse(path.read_text()))
        if name in QUERIES
    ]
    assert found == []


def calls_and_managers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """A page object may have a field `first`, but nobody calls it. Python has a `filter` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.lineno, node.func.attr
        if isinstance(node, ast.Name) and node.id.endswith("_or_404"):
            yield node.lineno, node.id
        if isinstance(node, ast.Attribute) and node.attr == "objects":
            yield node.lineno, node.attr
