"""The envelope of every list: `items` and `pageInfo`; by page, by offset, or by cursor.

A cursor names the last row read, by its sort values. It stays right while rows come and go, and the
tenth page costs as much as the first.
"""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import DateTimeField, Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from docbook.errors import FieldError

DEFAULT_LIMIT = 20
MOST = 100
# No reader asks for an OFFSET beyond this; PostgreSQL would scan all those rows.
FURTHEST = 1_000_000
# No clock on earth is further from UTC, and PostgreSQL accepts little more.
FURTHEST_OFFSET = timedelta(hours=14)

# The alphabet of URL-safe base64. Python's decoder ignores all other characters.
CURSOR = "^[A-Za-z0-9_-]+$"

Page = tuple[list[Any], dict[str, Any]]


@dataclass(frozen=True)
class PageRequest:
    """The page that the query string asks for: rows after `cursor`, or after `offset` rows."""

    limit: int
    offset: int = 0
    cursor: str | None = None

    @classmethod
    def of(cls, request: Request) -> "PageRequest":
        """Reads `cursor`, `offset` or `page`, and `limit`. Raises FieldError."""
        limit = _whole(request, "limit", default=DEFAULT_LIMIT, least=1, most=MOST)
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            return cls(limit, cursor=cursor)
        if "offset" in request.query_params:
            return cls(limit, _whole(request, "offset", default=0, least=0, most=FURTHEST))
        page = _whole(request, "page", default=1, least=1, most=FURTHEST // MOST)
        return cls(limit, (page - 1) * limit)


def paginate_rows(request: Request, rows: QuerySet[Any], *, keys: Sequence[str]) -> Page:
    """(items, pageInfo) of rows ordered by `keys`, ascending, nulls last; the last key unique."""
    asked = PageRequest.of(request)
    total = rows.count()
    if asked.cursor is not None:
        rows = rows.filter(_after(rows, keys=keys, values=_read(asked.cursor, count=len(keys))))
    found = list(rows[asked.offset : asked.offset + asked.limit + 1])
    return _page(
        found, asked=asked, total=total, key=lambda row: [getattr(row, name) for name in keys]
    )


def paginate_times(request: Request, times: Sequence[Any]) -> Page:
    """(items, pageInfo) of times sorted by `starts_at`, which is unique among them."""
    asked = PageRequest.of(request)
    total = len(times)
    if asked.cursor is not None:
        last = _instant(_read(asked.cursor, count=1)[0])
        times = [time for time in times if time.starts_at > last]
    found = list(times[asked.offset : asked.offset + asked.limit + 1])
    return _page(found, asked=asked, total=total, key=lambda time: [time.starts_at])


def _page(
    found: list[Any], *, asked: PageRequest, total: int, key: Callable[[Any], list[Any]]
) -> Page:
    """`found` holds one row more than asked for if there is a next page."""
    items = found[: asked.limit]
    return items, {
        "page": None if asked.cursor is not None else asked.offset // asked.limit + 1,
        "limit": asked.limit,
        "totalPages": ceil(total / asked.limit),
        "totalItems": total,
        "nextCursor": _write(key(items[-1])) if len(found) > asked.limit else None,
    }


def _after(rows: QuerySet[Any], *, keys: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows whose keys come after the values, as a lexicographic comparison."""
    name, value = keys[0], _as_key(rows, keys[0], values[0])
    rest = _after(rows, keys=keys[1:], values=values[1:]) if len(keys) > 1 else None
    if value is None:
        same, beyond = Q(**{f"{name}__isnull": True}), Q(pk__in=[])
    else:
        same = Q(**{name: value})
        beyond = Q(**{f"{name}__gt": value}) | Q(**{f"{name}__isnull": True})
    return beyond | (same & rest) if rest is not None else beyond


def _as_key(rows: QuerySet[Any], name: str, value: Any) -> Any:
    annotation = rows.query.annotations.get(name)
    field = annotation.output_field if annotation else rows.model._meta.get_field(name)
    if value is not None and isinstance(field, DateTimeField):
        return _instant(value)
    try:
        return field.to_python(value)
    except ValidationError as error:
        raise _unknown_cursor() from error


def _write(values: list[Any]) -> str:
    text = json.dumps(values, cls=_ExactEncoder, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class _ExactEncoder(DjangoJSONEncoder):
    """Instants to the microsecond: Django's own encoder cuts them, and rows would appear twice."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


def _read(cursor: str, *, count: int) -> list[Any]:
    if not re.match(CURSOR.replace("$", r"\Z"), cursor):
        raise FieldError("cursor", "This is no cursor of any list.")
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise _unknown_cursor() from error
    if not isinstance(values, list) or len(values) != count:
        raise _unknown_cursor()
    if not all(_is_value(value) for value in values):
        raise _unknown_cursor()
    return values


def _is_value(value: Any) -> bool:
    """Whether a column can hold it: nothing, a whole number of 64 bits, or text of UTF-8."""
    if isinstance(value, str):
        return "\x00" not in value and value.encode(errors="ignore").decode() == value
    return value is None or (type(value) is int and abs(value) < 2**63)


def _instant(value: Any) -> Any:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError as error:
        raise _unknown_cursor() from error
    offset = moment.utcoffset() if moment else None
    if offset is None or abs(offset) > FURTHEST_OFFSET:
        raise _unknown_cursor()
    return moment


def _unknown_cursor() -> FieldError:
    return FieldError("cursor", "This cursor was not made by this list.", field_code="unknown")


def _whole(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and least <= int(text) <= most):
        message = f"This must be a whole number from {least} to {most}."
        raise FieldError(name, message, field_code="out-of-range")
    return int(text)
