"""Who gets what at every address: the table, and the tests that check it.

The routes come from the URL configuration of production. A route that is missing from the table
fails, and so does a line of the table that no route answers.
"""

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.urls import URLResolver
from django_redis import get_redis_connection
from rest_framework.views import APIView

from docbook.http.health import _ANSWERS as ANSWERED_BEFORE_ALL
from tests.access.table import BODIES, TABLE, names_of
from tests.access.world import PARTIES, World, make_world, unknown

pytestmark = pytest.mark.django_db


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Line:
    method: str
    route: str
    statuses: tuple[int, ...]

    @property
    def pattern(self) -> str:
        return self.route.partition("?")[0]

    @property
    def room(self) -> str:
        """The lines of one room share one set of rows."""
        parts = self.pattern.strip("/").split("/")
        return "/".join(parts[: 3 if parts[0] in ("admin", "api") else 1])


def lines() -> list[Line]:
    """`method route` and a status for each caller; one status stands for all nine."""
    found = []
    for text in TABLE.splitlines():
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        method, route, *statuses = text.split()
        told = [int(each) for each in statuses] * (9 if len(statuses) == 1 else 1)
        assert len(told) == len(PARTIES), text
        found.append(Line(method, route, tuple(told)))
    return found


LINES = lines()
ROOMS = sorted({line.room for line in LINES})


def routes(patterns: Any = None, before: str = "/") -> Iterator[tuple[str, Any]]:
    if patterns is None:
        yield from ((path, answer) for path, answer in ANSWERED_BEFORE_ALL.items())
        patterns = importlib.import_module("docbook.urls").urlpatterns
    for each in patterns:
        here = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, here)
        else:
            yield _plain(here), each.callback


def _plain(route: str) -> str:
    """The names of the variable parts, without their form: /doctors/<slug>/."""
    route = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route).replace("^", "").replace("$", "")
    return re.sub(r"<\w+:(\w+)>", r"<\1>", route)


def view_class(callback: Any) -> Any:
    return getattr(callback, "view_class", None) or getattr(callback, "cls", None)


def ask(
    world: World, line: Line, *, party: str, names: dict[str, Any] | None = None
) -> HttpResponse:
    """Asks as this caller, with a body that the owner may send. Keeps nothing."""
    own = names_of(world, method=line.method, route=line.route)
    names = world.names | own if names is None else names
    path, _mark, query = line.route.partition("?")
    path = re.sub(r"<(\w+)>", lambda found: str(names[found[1]]), path)
    url = path + (f"?{query.format(**names)}" if query else "")
    body = world.bodies.get(BODIES.get(f"{line.method} {line.pattern}", ""), {})
    is_api = path.startswith("/api/")
    headers = world.token(party) if is_api else {}
    if is_api and line.method in ("PATCH", "POST"):
        headers["If-Match"] = '"1"'
    if is_api and line.method == "POST":
        headers["Idempotency-Key"] = str(uuid4())
    send = getattr(world.browser("anonymous" if is_api else party), line.method.lower())
    if line.method == "GET":
        return send(url, headers=headers)
    data = json.dumps(body) if is_api else body
    options = {"content_type": "application/json"} if is_api or line.method != "POST" else {}
    return send(url, data, headers=headers, **options)


def ask_and_undo(
    world: World, line: Line, *, party: str, names: dict[str, Any] | None = None
) -> HttpResponse:
    get_redis_connection("default").flushdb()
    mark = transaction.savepoint()
    try:
        return ask(world, line, party=party, names=names)
    finally:
        transaction.savepoint_rollback(mark)


def test_every_route_has_a_line_and_every_line_a_route() -> None:
    told = {line.pattern for line in LINES}
    known = {route for route, _callback in routes()}
    assert known - told == set(), "add these to tests/access/table.py"
    assert told - known == set(), "no address answers these"


def test_every_method_of_the_api_has_a_line() -> None:
    told = {(line.method, line.pattern) for line in LINES}
    for route, callback in routes():
        cls = view_class(callback)
        if cls is not None and issubclass(cls, APIView):
            methods = {
                name.upper() for name in cls.http_method_names if name not in ("head", "options")
            }
            has = {name for name in methods if hasattr(cls, name.lower())}
            assert {(method, route) for method in has} <= told, route


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room or "home")
def test_everybody_gets_what_the_table_says(room: str) -> None:
    world = make_world()
    wrong = []
    for line in LINES:
        if line.room != room:
            continue
        got = tuple(ask_and_undo(world, line, party=party).status_code for party in PARTIES)
        if got != line.statuses:
            wrong.append(f"{line.method} {line.route}\n  told {line.statuses}\n  got  {got}")
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "room", [room for room in ROOMS if not room.startswith(("accounts", "admin"))]
)
def test_a_method_that_has_no_line_is_answered_405(room: str) -> None:
    """Except for the admin and accounts, whose views treat such a request as a look at the form."""
    world, told = make_world(), {(line.method, line.pattern) for line in LINES}
    wrong = []
    for pattern in {line.pattern for line in LINES if line.room == room}:
        for method in METHODS:
            if (method, pattern) not in told:
                got = ask_and_undo(world, Line(method, pattern, ()), party="owner").status_code
                wrong += [f"{method} {pattern}: {got}"] * (got != 405)
    assert wrong == []


def _without_what_differs(response: HttpResponse, names: dict[str, Any]) -> str:
    """Without request ids, form tokens and the requested names."""
    request_id = response.headers["X-Request-ID"]
    read_out = f"{request_id[:4]}-{request_id[4:8]}".upper()
    text = response.content.decode().replace(request_id, "").replace(read_out, "")
    text = re.sub(r'value="[A-Za-z0-9]{64}"', "", text)
    for name in sorted(map(str, names.values()), key=len, reverse=True):
        text = text.replace(name, "…") if len(name) >= 8 else text
    return text


STRANGERS = [
    line
    for line in LINES
    if "<" in line.route and 404 in line.statuses and not line.route.startswith("/admin/")
]


@pytest.mark.parametrize("room", sorted({line.room for line in STRANGERS}))
def test_what_is_somebody_elses_is_answered_like_what_there_is_not(room: str) -> None:
    world = make_world()
    nothing = unknown(world.names)
    for line in STRANGERS:
        if line.room != room:
            continue
        for party, status in zip(PARTIES, line.statuses, strict=True):
            if status == 404:
                there = ask_and_undo(world, line, party=party)
                not_there = ask_and_undo(world, line, party=party, names=nothing)
                assert not_there.status_code == 404, (line, party)
                assert _without_what_differs(there, world.names) == _without_what_differs(
                    not_there, nothing
                ), (line, party)
                assert {*there.headers} == {*not_there.headers}
