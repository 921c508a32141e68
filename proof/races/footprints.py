"""What a statement reads and changes: two statements that share nothing can run in either order."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce

from docbook.postgres.rows import rows_of

# Stands for all advisory locks, as if they were one row.
ADVISORY = "advisory locks"
# What the clock shows: time passes in an act of its own (see clock.py).
CLOCK = "clock"
# Everybody adds rows here and nobody reads them while booking: the order does not matter.
NOTEBOOKS = frozenset({"audit_auditevent", "outbox_outboxmessage", "outbox_outboxdelivery"})

_TEXT_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CHANGES = re.compile(r"(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?$", re.IGNORECASE)
_ROWS_LOCKED = re.compile(
    r"\bFOR\s+(?:NO\s+KEY\s+)?UPDATE\b|\bFOR\s+(?:KEY\s+)?SHARE\b", re.IGNORECASE
)
_READS_CLOCK = re.compile(
    r"\b(?:clock_timestamp|statement_timestamp|races_clock)\s*\(", re.IGNORECASE
)
_ADVISORY_LOCK = re.compile(r"\bpg_(?:try_)?advisory_\w+\s*\(", re.IGNORECASE)


@dataclass(frozen=True)
class Footprint:
    """Names of tables. Rows that are locked count as changed."""

    reads: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()

    def __or__(self, other: "Footprint") -> "Footprint":
        return Footprint(self.reads | other.reads, self.changes | other.changes)

    def __bool__(self) -> bool:
        return bool(self.reads or self.changes)

    def meets(self, other: "Footprint") -> bool:
        """Whether the order of the two could matter."""
        return bool(self.changes & (other.reads | other.changes) or self.reads & other.changes)


NOTHING = Footprint()


def union(footprints: Iterable[Footprint]) -> Footprint:
    return reduce(Footprint.__or__, footprints, NOTHING)


def bare(sql: str) -> str:
    """The statement without comments and what stands in quotes, each place kept."""
    return _TEXT_OR_COMMENT.sub(_blank, sql)


def _blank(match: re.Match[str]) -> str:
    text = match.group()
    if text.startswith("'"):
        return f"'{' ' * (len(text) - 2)}'"
    return re.sub(r"[^\n]", " ", text)


@dataclass
class Catalogue:
    """The tables and functions of this database. `functions` have a footprint of their own;
    `triggers` are what a change of their table does beside it.
    """

    tables: frozenset[str]
    functions: Mapping[str, str]
    triggers: Mapping[str, frozenset[str]]
    # Functions that stop before each of their statements: what they do is seen there.
    instrumented: set[str] = field(default_factory=set)
    _known: dict[str, Footprint] = field(default_factory=dict)
    _statements: dict[str, Footprint] = field(default_factory=dict)

    def footprint(self, sql: str) -> Footprint:
        """Of one statement, with the functions that it calls and the triggers that it fires."""
        if sql not in self._statements:
            self._statements[sql] = self._look_at(sql)
        return self._statements[sql]

    def _look_at(self, sql: str) -> Footprint:
        text = bare(sql).replace('"', "")
        reads, changes = set[str](), set[str]()
        for match in re.finditer(r"\b[a-z]+_\w+\b", text):
            name, before = match.group(), text[: match.start()]
            if name in self.tables and _CHANGES.search(before[-40:]):
                changes.add(name)
            elif name in self.tables and not _is_called(text, match):
                reads.add(name)
        if _ROWS_LOCKED.search(text):
            changes |= reads
        if _ADVISORY_LOCK.search(text):
            changes.add(ADVISORY)
        if _READS_CLOCK.search(text):
            reads.add(CLOCK)
        if "races_now" in sql:
            changes.add(CLOCK)
        own = Footprint(frozenset(reads), frozenset(changes))
        called = {name for name in self.functions if re.search(rf"\b{name}\s*\(", text)}
        fired = union(
            self._of_function(name)
            for table in changes - NOTEBOOKS
            for name in self.triggers.get(table, ())
        )
        seen = own | fired | union(self._of_function(each) for each in called - self.instrumented)
        return Footprint(seen.reads, seen.changes - NOTEBOOKS)

    def _of_function(self, name: str) -> Footprint:
        if name not in self._known:
            self._known[name] = NOTHING  # for a function that calls itself
            self._known[name] = self._look_at(self.functions[name])
        return self._known[name]


def _is_called(text: str, match: re.Match[str]) -> bool:
    """A function may have the name of a table."""
    return bool(re.match(r"\s*\(", text[match.end() :]))


def read_catalogue() -> Catalogue:
    tables = rows_of(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    functions: dict[str, str] = {}
    for name, source in rows_of(
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND prokind = 'f' AND prolang IN (SELECT oid FROM pg_language WHERE lanname <> 'c')"
    ):
        functions[name] = functions.get(name, "") + "\n" + source
    triggers: dict[str, set[str]] = {}
    for table, name in rows_of(
        "SELECT tgrelid::regclass::text, tgfoid::regproc::text FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgparentid = 0"
    ):
        triggers.setdefault(table, set()).add(name)
    return Catalogue(
        tables=frozenset(name for (name,) in tables),
        functions=functions,
        triggers={table: frozenset(names) for table, names in triggers.items()},
    )
