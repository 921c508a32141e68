"""The contrast of every pair of colours in the design, computed from the stylesheet."""

import pytest

from tests.design.stylesheet import (
    DARK_BY_CHOICE,
    DARK_BY_SYSTEM,
    LIGHT,
    Tokens,
    colours,
    contrast,
    dark,
)

TEXT = [
    *[(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("surface", "bg", "sunken")],
    *[("brand", ground) for ground in ("surface", "bg", "brand-tint")],
    *[("ink", ground) for ground in ("brand-tint", "time-tint", "bad-tint", "info-tint")],
    *[("ink-2", ground) for ground in ("brand-tint", "raised")],
    ("ink-2", "line"),
    *[("ink", ground) for ground in ("heat-1", "heat-2")],
    *[("on-brand", ground) for ground in ("heat-3", "heat-4")],
    ("on-brand", "brand"),
    ("on-brand", "brand-hover"),
    ("on-deep", "deep"),
    ("on-deep", "deep-2"),
    ("on-time", "time"),
    ("time-ink", "time-tint"),
    ("time-ink", "surface"),
    ("bad", "surface"),
    ("bad", "bg"),
    ("bad", "bad-tint"),
    ("info", "surface"),
    ("info", "info-tint"),
]
GRAPHICS = [
    ("time", "deep"),
    ("time-line", "surface"),
    ("time-line", "time-tint"),
    ("bad-line", "surface"),
    ("line-strong", "surface"),
    ("line-strong", "bg"),
    ("focus", "surface"),
    ("focus", "bg"),
    ("focus-deep", "deep"),
]
THEMES = {"light": colours(LIGHT), "dark": dark()}


@pytest.fixture(params=THEMES)
def theme(request: pytest.FixtureRequest) -> Tokens:
    return THEMES[request.param]


@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_stands_out_from_its_ground(theme: Tokens, ink: str, ground: str) -> None:
    assert contrast(theme[ink], theme[ground]) >= 4.5


@pytest.mark.parametrize(("line", "ground"), GRAPHICS)
def test_edges_and_signs_stand_out_from_their_ground(theme: Tokens, line: str, ground: str) -> None:
    assert contrast(theme[line], theme[ground]) >= 3


@pytest.mark.parametrize("number", range(1, 9))
def test_white_initials_stand_out_from_every_avatar(number: int) -> None:
    assert contrast("#ffffff", colours(LIGHT)[f"avatar-{number}"]) >= 6.4


def test_dark_looks_the_same_by_the_system_and_by_choice() -> None:
    assert colours(DARK_BY_SYSTEM) == colours(DARK_BY_CHOICE)


def test_contrast_is_computed_as_the_standard_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
