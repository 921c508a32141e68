"""Which functions of ours an act runs through, from its door to the SQL and back.

A walk counts named functions of the apps once each, however often they run. What stands inside a
function (a lambda, the wrapper of a decorator, a comprehension) belongs to it. Libraries are not
counted. Nor is what runs around every request: middleware, authentication, session.

docbook/ is the apps' own library. Of it a walk notes what the apps call, not what happens inside.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FrameType

from django.conf import settings
from django.contrib import auth
from django.core.handlers.base import BaseHandler
from django.template.base import Template
from rest_framework.views import APIView

from docbook.http.middleware import ApiMiddleware

# Functions by file, in the order in which they first run.
Places = dict[str, list[str]]

ROOT = Path(settings.BASE_DIR)
APPS = ("accounts", "bookings", "doctors")
LIBRARY = "docbook"
# Beneath the ORM, of which every query is one.
ENGINE = "docbook/postgres"


@dataclass
class Walk:
    """`steps` are functions of the apps. `library` are those of docbook/ that the steps call, and
    `rendering` those of the apps that templates call.
    """

    steps: Places = field(default_factory=dict)
    library: Places = field(default_factory=dict)
    rendering: Places = field(default_factory=dict)
    around: Places = field(default_factory=dict)

    def __add__(self, other: "Walk") -> "Walk":
        both = Walk()
        for walk in (self, other):
            for kind, places in vars(walk).items():
                for path, functions in places.items():
                    for function in functions:
                        note(getattr(both, kind), path, function)
        return both


def note(places: Places, path: str, function: str) -> None:
    met = places.setdefault(path, [])
    if function not in met:
        met.append(function)


@contextmanager
def followed(*, begins: str = "around") -> Iterator[Walk]:
    """The walk of the code in the block. A request begins `around` its view; a call without one
    begins with its `steps`.
    """
    walk = Walk()
    before = sys.getprofile()
    sys.setprofile(_Tracer(walk, begins=begins))
    try:
        yield walk
    finally:
        sys.setprofile(before)


class _Tracer:
    def __init__(self, walk: Walk, *, begins: str) -> None:
        self._walk, self._kinds, self._turns = walk, [begins], _turns()
        self._known: dict[CodeType, tuple[str, str] | None] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event == "return" and code in self._turns:
            self._kinds.pop()
        if event != "call":
            return
        if code in self._turns:
            self._kinds.append(self._turns[code])
        if place := self._place(code):
            self._note(*place, caller=frame.f_back)

    def _note(self, path: str, function: str, *, caller: FrameType | None) -> None:
        kind = self._kinds[-1]
        if path.startswith(LIBRARY):
            if kind != "steps" or self._is_in_library(caller):
                return
            kind = "library"
        note(getattr(self._walk, kind), path, function)

    def _is_in_library(self, frame: FrameType | None) -> bool:
        """Whether the nearest function of ours on the way back is one of docbook/."""
        while frame is not None:
            if place := self._place(frame.f_code):
                return place[0].startswith(LIBRARY)
            frame = frame.f_back
        return False

    def _place(self, code: CodeType) -> tuple[str, str] | None:
        if code not in self._known:
            self._known[code] = _place_of(code)
        return self._known[code]


def _place_of(code: CodeType) -> tuple[str, str] | None:
    """(file, function) of ours; None for a library, a module or a class body."""
    path = Path(code.co_filename)
    if not (code.co_flags & CO_OPTIMIZED and path.is_relative_to(ROOT)):
        return None
    inside = path.relative_to(ROOT)
    if inside.parts[0] not in (*APPS, LIBRARY) or inside.is_relative_to(ENGINE):
        return None
    return str(inside), code.co_qualname.split(".<locals>")[0]


def _turns() -> dict[CodeType, str]:
    """Where a walk changes into another kind, until the call returns."""
    turns = {
        BaseHandler._get_response.__code__: "steps",
        ApiMiddleware.answer.__code__: "steps",
        APIView.initial.__code__: "around",
        auth.get_user.__code__: "around",
        Template.render.__code__: "rendering",
    }
    for dotted in settings.MIDDLEWARE:
        module, _dot, name = dotted.rpartition(".")
        hook = getattr(getattr(import_module(module), name), "process_view", None)
        if hook is not None:
            turns[hook.__code__] = "around"
    return turns
