"""Accounts that may belong to one person, and what a merge of two would run into."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from accounts.models import PatientMerge, User
from accounts.patient_keys import NAME, PHONE
from docbook.postgres.rows import rows_of

MOST_PAIRS = 50
# Shorter ones are extensions, or no numbers at all.
_SHORTEST_NUMBER = 7
# A number or a name of more people is a practice's own or a common one.
_MOST_ALIKE = 6

# Each key is made once, and only keys of several accounts are compared. The national part of a
# number is the same however its country is written.
_PAIRS = """
WITH people AS MATERIALIZED (
    SELECT id, born_on, THE_NAME AS name, right(THE_DIGITS, 9) AS number,
           regexp_replace(email, '[+][^@]*@', '@') AS mailbox
    FROM accounts_user
    WHERE is_active AND NOT is_staff
), keys AS (
    SELECT 'number' AS reason, number AS key, id FROM people
    WHERE length(number) >= %(shortest)s
    UNION ALL
    SELECT 'birthday', name || born_on, id FROM people WHERE born_on IS NOT NULL AND name <> '  '
    UNION ALL
    SELECT 'mailbox', mailbox, id FROM people WHERE mailbox IS NOT NULL
), alike AS (
    SELECT reason, array_agg(id ORDER BY id) AS ids FROM keys GROUP BY reason, key
    HAVING count(*) BETWEEN 2 AND %(most_alike)s
)
SELECT one, other, array_agg(DISTINCT reason ORDER BY reason)
FROM alike CROSS JOIN unnest(ids) AS one CROSS JOIN unnest(ids) AS other
JOIN people AS first ON first.id = one JOIN people AS second ON second.id = other
WHERE one < other GROUP BY one, other, first.name, second.name
ORDER BY count(*) DESC, similarity(first.name, second.name) DESC, one DESC, other DESC
LIMIT %(most)s
"""
_OF_EACH = """
SELECT patient_id, count(*), count(*) FILTER (WHERE starts_at > %(now)s AND status = 'confirmed')
FROM bookings_appointment WHERE patient_id = ANY(%(ids)s::bigint[]) GROUP BY patient_id
"""
_OVERLAPS = """
SELECT one.starts_at, other.starts_at
FROM bookings_patientvisit AS one JOIN bookings_patientvisit AS other
    ON tstzrange(one.starts_at, one.ends_at) && tstzrange(other.starts_at, other.ends_at)
WHERE one.patient_id = %s AND other.patient_id = %s
ORDER BY one.starts_at LIMIT 1
"""


@dataclass(frozen=True)
class Person:
    """One account. `visits` counts all of its visits, `ahead` booked ones that are to come."""

    id: int
    name: str
    email: str
    phone: str
    born_on: date | None
    created_at: datetime
    last_login: datetime | None
    visits: int = 0
    ahead: int = 0


@dataclass(frozen=True)
class Pair:
    """`reasons`: number, birthday (with the name), mailbox."""

    one: Person
    other: Person
    reasons: list[str]


@transaction.atomic
def possible_duplicates(*, now: datetime) -> list[Pair]:
    """Pairs of accounts that share something: first those that share most, then those with the most
    similar names. Three queries.
    """
    rows_of("SELECT set_config('statement_timeout', '30s', true)")
    sql = _PAIRS.replace("THE_NAME", NAME).replace("THE_DIGITS", PHONE)
    found = rows_of(sql, shortest=_SHORTEST_NUMBER, most_alike=_MOST_ALIKE, most=MOST_PAIRS)
    people = people_with({pk for one, other, _reasons in found for pk in (one, other)}, now=now)
    return [Pair(people[one], people[other], reasons) for one, other, reasons in found]


def people_with(ids: Iterable[int], *, now: datetime) -> dict[int, Person]:
    """By id. Two queries."""
    ids = list(ids)
    counts = {row[0]: row[1:] for row in rows_of(_OF_EACH, ids=ids, now=now)}
    return {user.pk: _person(user, *counts.get(user.pk, (0, 0))) for user in _users(ids)}


def _users(ids: list[int]) -> Iterable[User]:
    return User.objects.filter(pk__in=ids)


def _person(user: User, visits: int, ahead: int) -> Person:
    return Person(
        id=user.pk,
        name=user.get_full_name(),
        email=user.address,
        phone=user.phone,
        born_on=user.born_on,
        created_at=user.created_at,
        last_login=user.last_login,
        visits=visits,
        ahead=ahead,
    )


def find_overlap(one: int, other: int) -> tuple[datetime, datetime] | None:
    """The starts of two visits of these patients at the same time, and of the earliest such two."""
    found = rows_of(_OVERLAPS, one, other)
    return found[0] if found else None


def recent_merges(*, since: datetime) -> list[PatientMerge]:
    merges = PatientMerge.objects.filter(merged_at__gt=since).select_related("kept", "merged", "by")
    return list(merges.order_by("-merged_at", "-id"))
