"""A promise about the data: a number, a sentence, and a query that finds violations."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from bookings.invariants.recent import EVERYTHING, TOUCHED, Look
from bookings.models.holds import MAX_CODE_ATTEMPTS
from bookings.states import ACTIVE, PRACTICE, TRANSITIONS

# This many are named; all are counted.
NAMED = 20

# A transaction that has passed the check of the clock still has to write its rows.
MOMENT = "15 seconds"

_COUNTED = """
SELECT place, what, count(*) OVER () FROM ({}) AS found (place, what)
ORDER BY 1, 2 LIMIT %(named)s
"""


@dataclass(frozen=True)
class Violation:
    """`where` is an id to look for; `what` is a few words without anything personal."""

    where: str
    what: str


@dataclass(frozen=True)
class Finding:
    """How many violations there are, and some of them."""

    count: int
    examples: list[Violation]


@dataclass(frozen=True)
class Invariant:
    """`sql` yields (where, what) for each violation. `look` finds violations that SQL cannot see,
    in that many of the newest seals or in all of them. `given` are common table expressions for
    `sql`.
    """

    code: str
    sentence: str
    sql: str
    given: str = ""
    look: Callable[[int | None], Iterable[Violation]] | None = None

    def check(self, *, since: Look | None = None, newest_seals: int | None = None) -> Finding:
        """Runs in the current transaction: all queries share its snapshot and its clock (`now()`).
        Checks only changes `since` another look, or everything.
        """
        seen = list(self.look(newest_seals)) if self.look else []
        counted, examples = _run(self.sql, given=self.given, since=since)
        return Finding(len(seen) + counted, [*examples, *seen][:NAMED])


def found(violations: Iterable[Violation]) -> Finding:
    everything = list(violations)
    return Finding(len(everything), everything[:NAMED])


def query(sql: str, *, given: str, since: Look | None) -> tuple[str, dict[str, Any]]:
    """The query for the database, and its values."""
    words = _words() | {"told_since": datetime.min.replace(tzinfo=UTC)}
    if since is not None:
        words |= since.words() | {"told_since": since.at}
    given = (TOUCHED if since else EVERYTHING) + given.replace("WITH", ",", 1)
    return f"{given} {_COUNTED.format(sql)}", words


def _run(sql: str, *, given: str, since: Look | None) -> tuple[int, list[Violation]]:
    with connection.cursor() as cursor:
        cursor.execute(*query(sql, given=given, since=since))
        rows = cursor.fetchall()
    return (rows[0][2] if rows else 0), [Violation(where, what) for where, what, _count in rows]


def _words() -> dict[str, Any]:
    """Constants of the code, under the names that the queries use."""
    steps = [
        (each.before.value, each.after.value, kind) for each in TRANSITIONS for kind in each.by
    ]
    return {
        "active": [status.value for status in ACTIVE],
        "practice": sorted(PRACTICE),
        "steps": [" ".join(step) for step in steps],
        "most_attempts": MAX_CODE_ATTEMPTS,
        "moment": MOMENT,
        "named": NAMED,
    }
