"""docs/security.md answers every requirement of levels 1 and 2, and names tests as its proof."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from devstack.layout import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
TABLE = [line for line in PAGE.splitlines() if re.match(r"\| V\d", line)]
# ASVS 5.0.0: each section with the numbers of its requirements of levels 1 and 2.
STANDARD = (ROOT / "tests" / "deployment" / "asvs_5_0_0_levels_1_and_2.txt").read_text()
# Requirements that a test cannot check.
WITHOUT_A_TEST = ("Does not apply: ", "*Open*", "Written down above", "The operator's: ")


def standard() -> list[str]:
    sections = [line.partition(": ") for line in STANDARD.splitlines()]
    return [f"{section}.{each}" for section, _, numbers in sections for each in numbers.split()]


def covered_by(line: str) -> Iterator[str]:
    """What its first column names: requirements, ranges of them, sections, or a whole chapter."""
    for part in line.split("|")[1].split(","):
        name, _, last = part.strip().partition("–")
        if last:
            section, _, first = name.rpartition(".")
            yield from (f"{section}.{number}" for number in range(int(first), int(last) + 1))
        elif name.count(".") == 2:
            yield name
        else:
            yield from (each for each in standard() if each.startswith(f"{name}."))


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[^`]*?)::(\w+)`", PAGE)
    assert len(named) > 100
    for path, name in named:
        assert name.startswith("test_")
        assert name in names_in(path), f"{path}::{name}"


def test_every_requirement_of_the_standard_is_answered_once() -> None:
    assert len(standard()) == 253
    answered = [each for line in TABLE for each in covered_by(line)]
    assert set(standard()) - set(answered) == set()
    assert set(answered) - set(standard()) == set()
    assert len(answered) == len(set(answered))


def test_every_line_names_a_test_or_says_why_there_is_none() -> None:
    for line in TABLE:
        _before, _number, asked, how, proof, _after = (part.strip() for part in line.split("|"))
        assert asked
        assert how
        if proof == "—":
            assert how.startswith(WITHOUT_A_TEST), line
        else:
            assert re.fullmatch(r"`tests/[^`]+`(, `tests/[^`]+`)*", proof), line
