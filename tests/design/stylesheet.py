"""Reads the colour tokens out of static/css/tokens.css, and the classes out of all sheets."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.conf import settings

Tokens = Mapping[str, str]

_BLOCK = re.compile(r"^( *)([^\n{}]+)\{\n([^{}]*)\}", re.MULTILINE)
_COLOUR = re.compile(r"--db-([a-z0-9-]+): (#[0-9a-f]{6});")

LIGHT = ":root"
DARK_BY_SYSTEM = ':root:not([data-theme="light"])'
DARK_BY_CHOICE = '[data-theme="dark"]'


def colours(selector: str) -> Tokens:
    """The colours that the first block of `selector` sets, by name."""
    for _indent, found, body in _BLOCK.findall(_source()):
        if found.strip() == selector:
            return dict(_COLOUR.findall(body))
    raise LookupError(selector)


def dark() -> Tokens:
    """The dark page's colours. It keeps the light page's for what it does not set."""
    return {**colours(LIGHT), **colours(DARK_BY_SYSTEM)}


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio", of two colours like #0a6650."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


@cache
def named_classes() -> frozenset[str]:
    """Every class in a selector of ours."""
    sheets = (path.read_text() for path in (Path(settings.BASE_DIR) / "static/css").rglob("*.css"))
    selectors = "".join(part for sheet in sheets for part in re.findall(r"[^{};]*\{", sheet))
    return frozenset(re.findall(r"\.([a-z][\w-]*)", selectors))


def _source() -> str:
    return (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text()
