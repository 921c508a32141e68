"""Assigns samples of a web process to parts of DocBook, from the calls in them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from proof.report import Row

# Frames from the outermost to the innermost, like "hold_slot (bookings/holding/services/holds.py)".
Call = tuple[str, ...]

OTHER = "other"
LEAST = 0.005  # of the work or of the time; smaller shares are in no table
TOP = 15

# A call inside one of these belongs to it, however deep.
_WITHIN = {
    "database: connection taken, checked, given back": (
        r"\(psycopg_pool/|ensure_connection \(|close_old_connections|_close \(django/db/|close_if_"
    ),
    "Redis: limits and gate": r"\((redis|django_redis)/|\(docbook/redis\.py",
    "database: the call": r"\(psycopg|\(django/db/",
    "log": r"\((structlog|logging)/|\(docbook/observability/logs\.py|Middleware\._log ",
}
# Otherwise the innermost known frame decides. Unknown frames belong to their caller.
_INNERMOST = {
    "token": r"\((jwt/|accounts/(authentication|tokens)\.|rest_framework/authentication\.)",
    "JSON": r"\((json/|docbook/http/parsers\.|rest_framework/(parsers|renderers|utils/encoders)\.)",
    "validation": r"serializers\.py\)|\(rest_framework/(fields|validators|relations)\.",
    "REST framework, the rest": r"\(rest_framework/",
    "booking: our own Python": r"\((bookings|doctors|accounts)/",
    "web server": r"\(granian/|\(docbook/rsgi\.",
    "keys, limits, answers: our own Python": r"\(docbook/",
    "Django: addresses, requests, signals": r"\(django/(core|urls|http|dispatch|views)/",
}
_MIDDLEWARE = re.compile(r"^(?:\w+\.)*?(\w+Middleware)(?:Mixin)?\b")
_WITHIN_RE = {area: re.compile(pattern) for area, pattern in _WITHIN.items()}
_INNERMOST_RE = {area: re.compile(pattern) for area, pattern in _INNERMOST.items()}


@dataclass(frozen=True)
class Profile:
    """How often each call was sampled, and how often py-spy said that it was late."""

    working: Counter[Call]
    present: Counter[Call]
    late: int


def area_of(call: Call) -> str:
    text = ";".join(call)
    within = (area for area, pattern in _WITHIN_RE.items() if pattern.search(text))
    innermost = (area for frame in reversed(call) if (area := _area_of_frame(frame)))
    return next(within, None) or next(innermost, OTHER)


def _area_of_frame(frame: str) -> str | None:
    if middleware := _MIDDLEWARE.match(frame):
        return f"middleware: {middleware[1]}"
    return next((area for area, known in _INNERMOST_RE.items() if known.search(frame)), None)


def shares(calls: Mapping[Call, int]) -> dict[str, float]:
    """The share of each area among all samples of these calls; they add up to one."""
    looks: Counter[str] = Counter()
    for call, number in calls.items():
        looks[area_of(call)] += number
    return {area: number / looks.total() for area, number in looks.items()}


def innermost(calls: Mapping[Call, int]) -> dict[str, float]:
    """The share of each function that was running, among all samples of these calls."""
    looks: Counter[str] = Counter()
    for call, number in calls.items():
        looks[call[-1]] += number
    return {function: number / looks.total() for function, number in looks.items()}


def where_time_goes(profiles: Sequence[Profile]) -> dict[str, list[Row]]:
    """Tables of the areas and functions, with one column per profile."""
    working = [shares(each.working) for each in profiles]
    present = [shares(each.present) for each in profiles]
    areas = sorted({*chain(*working, *present)}, key=lambda area: -_mean(working, area))
    functions = [innermost(each.working) for each in profiles]
    top = sorted({*chain(*functions)}, key=lambda name: -_mean(functions, name))[:TOP]
    seen = [
        {
            "looks": what,
            **{f"profile {number}": calls.total() for number, calls in enumerate(counts, 1)},
        }
        for what, counts in (
            ("at the work", [each.working for each in profiles]),
            ("at threads with a request", [each.present for each in profiles]),
        )
    ]
    late = {f"profile {number}": each.late for number, each in enumerate(profiles, 1)}
    return {
        "Where the time of the web processes goes": [
            {
                "area": area,
                "of the work": _range(working, area),
                "of the time": _range(present, area),
            }
            for area in areas
            if max(_mean(working, area), _mean(present, area)) >= LEAST
        ],
        "The functions with the most work": [
            {"function": name, "of the work": _range(functions, name)} for name in top
        ],
        "Looks of py-spy": [*seen, {"looks": "that it was late for", **late}],
    }


def _mean(found: Sequence[Mapping[str, float]], name: str) -> float:
    return sum(each.get(name, 0.0) for each in found) / len(found)


def _range(found: Sequence[Mapping[str, float]], name: str) -> str:
    values = sorted(100 * each.get(name, 0.0) for each in found)
    return f"{values[0]:.1f} to {values[-1]:.1f} %"
