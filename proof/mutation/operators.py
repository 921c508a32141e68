"""How a database function is broken in one place: a short table of small mistakes.

Each is a mistake that somebody makes, or a guard that somebody thinks needless. PostgreSQL refuses
changes that make no sense in their place; that costs nothing.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Operator(NamedTuple):
    """`found` is replaced by `put`, both in the syntax of `re`. Texts are masked as 'xxx' during
    the search.
    """

    slip: str
    found: str
    put: str


class Mutation(NamedTuple):
    line: int  # of the definition, counted from 1
    slip: str
    definition: str


OPERATORS = (
    # Limits that are off by one.
    Operator("a limit moved", r"(?<![<>=:-])<(?![<>=@])", "<="),
    Operator("a limit moved", r"<=", "<"),
    Operator("a limit moved", r"(?<![<>=:-])>(?![<>=])", ">="),
    Operator("a limit moved", r">=", ">"),
    Operator("a number changed", r"(?<![\w'.])(\d+)(?![\w'.])", r"(\1 + 1)"),
    Operator("plus for minus", r" - ", " + "),
    Operator("minus for plus", r" \+ ", " - "),
    Operator("least for greatest", r"\b(least|min)\b(?=\()", "greatest"),
    # Conditions that are reversed.
    Operator("equal turned", r"(?<![<>=:])=(?![<>=])", "<>"),
    Operator("equal turned", r"<>", "="),
    Operator("and for or", r"\bAND\b", "OR"),
    Operator("or for and", r"\bOR\b(?! REPLACE)", "AND"),
    Operator("null turned", r"\bIS NULL\b", "IS NOT NULL"),
    Operator("null turned", r"\bIS NOT NULL\b", "IS NULL"),
    Operator("distinct turned", r"\bIS DISTINCT FROM\b", "IS NOT DISTINCT FROM"),
    Operator("a NOT forgotten", r"\bNOT (?=IN\b|EXISTS\b|FOUND\b|coalesce\b)", ""),
    Operator("a condition forgotten", r"^ *(?:AND|OR) .*?(?= THEN$|;$|$)", ""),
    Operator("truth turned", r"\btrue\b", "false"),
    Operator("truth turned", r"\bfalse\b", "true"),
    # Guards against simultaneous changes.
    Operator("a lock forgotten", r"\bFOR UPDATE( SKIP LOCKED)?", ""),
    Operator("waits for a lock", r"\bSKIP LOCKED\b", ""),
    Operator("an order forgotten", r"\bORDER BY [\w.]+", ""),
    Operator("the clock of the beginning", r"\bclock_timestamp\(\)", "now()"),
    # Something that is not done or not written.
    Operator("a statement forgotten", r"^ *(PERFORM|INSERT|UPDATE|DELETE)\b[^;]*;", "NULL;"),
    Operator("an assignment forgotten", r"^ *[\w.]+ := [^;]*;", "NULL;"),
    Operator("DISTINCT forgotten", r"\bDISTINCT (?!FROM)", ""),
)
WORD = re.compile(r"'([a-z][a-z_.-]+)'")
TEXT_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*")
LIST = re.compile(r"\bSET |\b(?:VALUES |ROW|jsonb_build_object)\(")
ENDS_A_LIST = re.compile(r"\b(?:WHERE|RETURNING)\b|;")


def mutations(definition: str) -> Iterator[Mutation]:
    begin = definition.index("AS $")
    body = " " * begin + definition[begin:]
    bare = TEXT_OR_COMMENT.sub(_bare, body)
    for slip, found, put in OPERATORS:
        for match in re.finditer(found, bare, re.MULTILINE):
            yield _mutation(definition, slip, match.span(), match.expand(put))
    uncommented = TEXT_OR_COMMENT.sub(_without_comment, body)
    for match in WORD.finditer(uncommented):
        yield _mutation(definition, "another word", match.span(), "'other'")
    for span in _parts_of_lists(bare):
        column, is_assignment, _value = definition[slice(*span)].partition(" = ")
        if not TEXT_OR_COMMENT.fullmatch(column):
            put = f"{column} = {column}" if is_assignment else "NULL"
            yield _mutation(definition, "a field forgotten", span, put)


def _parts_of_lists(bare: str) -> Iterator[tuple[int, int]]:
    """The places of the parts between commas in lists that are set, inserted, recorded or
    returned.
    """
    for opening in LIST.finditer(bare):
        begin, depth = opening.end(), 0
        for position in range(begin, len(bare)):
            letter = bare[position]
            depth += (letter == "(") - (letter == ")")
            is_over = depth < 0 or (depth == 0 and ENDS_A_LIST.match(bare, position))
            if is_over or (letter == "," and depth == 0):
                part = bare[begin:position].strip()
                yield (start := bare.index(part, begin)), start + len(part)
                begin = position + 1
            if is_over:
                break


def _bare(match: re.Match[str]) -> str:
    text = match.group()
    return f"'{'x' * (len(text) - 2)}'" if text.startswith("'") else " " * len(text)


def _without_comment(match: re.Match[str]) -> str:
    text = match.group()
    return text if text.startswith("'") else " " * len(text)


def _mutation(definition: str, slip: str, span: tuple[int, int], put: str) -> Mutation:
    begin, end = span
    line = definition.count("\n", 0, begin) + 1
    return Mutation(line, slip, definition[:begin] + put + definition[end:])
