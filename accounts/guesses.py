"""Wrong codes of the last day, counted in rows: all codes against one target together."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, IntegerField, Q, TextField

from accounts.models import CodeGuesses
from docbook.batches import delete_in_batches
from docbook.http.rate_policies import DAY, POLICIES
from docbook.postgres.kept_query import Given, KeptQuery

A_DAY = timedelta(seconds=DAY)
# Who a wrong code counts for, and the policy that says how many a day each of them has.
Guesser = tuple[str, str]
Guessers = Sequence[Guesser]

# Somebody we know nothing about.
STRANGERS: Guesser = ("strangers", "guess-strangers")
# A signed-in user, whose guesses prove nothing to anybody else.
OWNER: Guesser = ("owner", "guess-known")

# One statement: of many guesses at once, no more than `most` are counted and checked.
_COUNT = """
INSERT INTO accounts_codeguesses AS guesses (target, guesser, count, since)
VALUES (%(target)s, %(guesser)s, 1, %(now)s)
ON CONFLICT (target, guesser) DO UPDATE
SET count = CASE WHEN guesses.since <= %(a_day_ago)s THEN 1 ELSE guesses.count + 1 END,
    since = CASE WHEN guesses.since <= %(a_day_ago)s THEN %(now)s ELSE guesses.since END
WHERE guesses.count < %(most)s OR guesses.since <= %(a_day_ago)s
RETURNING count
"""

_GIVE_BACK = """
UPDATE accounts_codeguesses SET count = count - 1
WHERE id IN (
    SELECT id FROM accounts_codeguesses
    WHERE target = %(target)s AND guesser = ANY(%(guessers)s) AND count > 0
    ORDER BY guesser FOR UPDATE)
"""


def guessers_of(*, network: str, browser: str) -> Guessers:
    """The guessers that a guess counts for. A browser that the account knows (`browser` is its
    name) is counted separately: strangers cannot use up its guesses.
    """
    if browser:
        return [(f"browser-{browser}", "guess-known")]
    return [(f"network-{network}", "guess-network"), STRANGERS]


# Of a kept query: rows say that somebody may have used up all guesses against a target.
ARE_MANY = Q(since__gt=Given("since", DateTimeField()), count__gte=Given("fewest", IntegerField()))
_MANY = KeptQuery(
    lambda: CodeGuesses.objects.filter(ARE_MANY, target=Given("target", TextField()))[:1]
)


def are_many(*, target: str, now: datetime) -> bool:
    fewest = POLICIES["guess-network"].rate.most
    return _MANY.exists(target=target, since=now - A_DAY, fewest=fewest)


def count_guess(*, target: str, guessers: Guessers, now: datetime) -> bool:
    """Counts a guess before the code is checked. False: no guesses are left, so do not check."""
    with connection.cursor() as cursor:
        for guesser, policy in guessers:
            most = POLICIES[policy].rate.most
            values: dict[str, Any] = {"target": target, "guesser": guesser, "most": most}
            cursor.execute(_COUNT, values | {"now": now, "a_day_ago": now - A_DAY})
            if cursor.fetchone() is None:
                return False
    return True


def give_back(*, target: str, guessers: Guessers) -> None:
    """The code was right, so it was no guess."""
    with connection.cursor() as cursor:
        names = [guesser for guesser, _policy in guessers]
        cursor.execute(_GIVE_BACK, {"target": target, "guessers": names})


def purge_guesses(*, now: datetime) -> int:
    """Deletes rows that no longer count; returns how many."""
    return delete_in_batches(CodeGuesses.objects.filter(since__lte=now - A_DAY))
