"""JSON as RFC 8259 defines it, and nothing more."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, NoReturn

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

# Much more than any call of ours needs, and small enough to be refused at once.
LARGEST = 64_000  # bytes
DEEPEST = 10
MOST_KEYS = 100
MOST_ITEMS = 200
LONGEST_NUMBER = 40  # characters


class TooLarge(APIException):
    """The body is longer than any call of ours needs."""

    status_code = 413


class StrictJSONParser(BaseParser):
    """Refuses with 400 what Python's parser accepts: NaN, doubled keys, lone surrogates, NUL and
    huge numbers. Refuses with 413 or 400 bodies that are too long, too deep or have too many parts.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - DRF's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        body = stream.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise TooLarge
        try:
            data = json.loads(
                body.decode("utf-8"),
                parse_constant=_refuse_constant,
                parse_int=_whole_number,
                parse_float=_finite_number,
                object_pairs_hook=_unique_keys,
            )
        except (ValueError, RecursionError) as error:
            raise ParseError("The body is not valid JSON.") from error
        _Check().look_at(data, depth=1)
        return data


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise ValueError("a key stands twice")
    return data


def _whole_number(text: str) -> int:
    _refuse_long(text)
    return int(text)


def _finite_number(text: str) -> float:
    _refuse_long(text)
    number = float(text)
    if math.isinf(number):
        raise ValueError("no number is that large")
    return number


def _refuse_long(text: str) -> None:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number has too many digits")


@dataclass
class _Check:
    """Counts the parts of one body as it checks them."""

    keys: int = 0
    items: int = 0

    def look_at(self, value: Any, *, depth: int) -> None:
        if depth > DEEPEST and isinstance(value, dict | list):
            raise ParseError("The body is nested too deeply.")
        if isinstance(value, str):
            _refuse_odd_characters(value)
        elif isinstance(value, dict):
            self._count(keys=len(value))
            for key, each in value.items():
                _refuse_odd_characters(key)
                self.look_at(each, depth=depth + 1)
        elif isinstance(value, list):
            self._count(items=len(value))
            for each in value:
                self.look_at(each, depth=depth + 1)

    def _count(self, *, keys: int = 0, items: int = 0) -> None:
        self.keys += keys
        self.items += items
        if self.keys > MOST_KEYS or self.items > MOST_ITEMS:
            raise ParseError("The body has too many parts.")


def _refuse_odd_characters(text: str) -> None:
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ParseError("The body holds characters that no text has.")
