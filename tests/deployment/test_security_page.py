"""docs/security.md names tests as its proof: each of them exists, and no chapter is missing."""

import ast
import re

from devstack.layout import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
TABLE = [line for line in PAGE.splitlines() if re.match(r"\| V\d", line)]


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 30
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text())
        assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}, path


def test_every_chapter_of_the_standard_has_a_line() -> None:
    chapters = {int(number) for line in TABLE for number in re.findall(r"V(\d+)", line)}
    assert chapters == set(range(1, 18))


def test_every_line_names_a_test_or_says_why_there_is_none() -> None:
    for line in TABLE:
        _before, _number, asked, how, proof, _after = (part.strip() for part in line.split("|"))
        assert asked
        assert how
        assert proof.startswith("`tests/") or proof == "—", line
