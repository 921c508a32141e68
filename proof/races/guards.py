"""What keeps acts apart, and each guard taken away: then a meeting must go wrong.

In the order in which a transaction takes its locks.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import reduce

from django.db import connection

from docbook.lock_keys import VISITS_OF, WAITLIST_OF
from docbook.postgres.rows import rows_of

_VALUES = "\n-- values: "
_UNLOCKED = "CREATE FUNCTION races_unlocked(bigint) RETURNS void LANGUAGE sql AS 'SELECT'"
# A statement, and how it reads without the guard.
Removal = Callable[[str], str]


@dataclass(frozen=True)
class Guard:
    """`why` is the race that it closes. Without it, `shown_by` goes wrong: the name of a meeting.
    `removal` changes the statements of functions and of Python, whose values follow them in a
    comment. `constraint` is dropped; those of the months begin with its name. Guards `behind` this
    one are taken away too: they would hide the race.
    """

    name: str
    kind: str
    why: str
    shown_by: str
    removal: Removal = lambda statement: statement
    constraint: str = ""
    behind: tuple[str, ...] = ()


@dataclass
class Taken:
    """What is taken away, and the guards of which something was found."""

    guards: tuple[Guard, ...]
    found: set[str] = field(default_factory=set)

    def change(self, statement: str, values: object = None) -> str:
        """Without the guards. The values count as part of the statement: one of them may be the key
        of a lock.
        """
        text = statement if values is None else f"{statement}{_VALUES}{values!r}"
        for guard in self.guards:
            changed = guard.removal(text)
            if changed != text:
                self.found.add(guard.name)
            text = changed
        return text.partition(_VALUES)[0]


@contextmanager
def gone(guard: Guard) -> Iterator[Taken]:
    """Inside the block, the guard does not exist, and those behind it neither. Raises
    AssertionError at the end if one of them was not there: then it has another text now.
    """
    taken = Taken((guard, *(GUARDS[name] for name in guard.behind)))
    with ExitStack() as restored:
        _run(_UNLOCKED)
        restored.callback(_run, "DROP FUNCTION races_unlocked(bigint)")
        for each in taken.guards:
            for drop, restore in _constraints(each.constraint) if each.constraint else ():
                taken.found.add(each.name)
                _run(drop)
                restored.callback(_run, restore)
        yield taken
    if missing := {each.name for each in taken.guards} - taken.found:
        raise AssertionError(f"Not found, so not taken away: {', '.join(missing)}")


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _constraints(name: str) -> list[tuple[str, str]]:
    """How to drop them and put them back: with those of the months of a table, or an index."""
    return rows_of(
        """
        SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
            format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
                   pg_get_constraintdef(oid))
        FROM pg_constraint WHERE starts_with(conname, %(name)s)
        UNION ALL
        SELECT format('DROP INDEX %%I', indexname), indexdef FROM pg_indexes
        WHERE indexname = %(name)s
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = %(name)s)
        """,
        name=name,
    )


def _row_lock(table: str) -> Removal:
    def without(statement: str) -> str:
        if table not in statement or "SKIP LOCKED" in statement:
            return statement
        return re.sub(r"\bFOR UPDATE(?: OF \S+)?", "", statement)

    return without


def _advisory_lock(key: str) -> Removal:
    def without(statement: str) -> str:
        if not re.search(key, statement):
            return statement
        return statement.replace("pg_advisory_xact_lock", "races_unlocked")

    return without


def _text(found: str, put: str) -> Removal:
    return lambda statement: re.sub(found, put, statement)


def _in_turn(*removals: Removal) -> Removal:
    """In the functions and in Python it is written in two ways."""
    return lambda statement: reduce(lambda left, each: each(left), removals, statement)


_SLOTS_SENT = re.compile(r"(SELECT id FROM doctors_slot WHERE .*) ORDER BY id FOR UPDATE")
_HOLDS_FIRST = (
    r"WITH holds AS MATERIALIZED (SELECT id FROM bookings_hold WHERE state = 'held' FOR UPDATE)"
    r" \1 AND (SELECT count(*) FROM holds) >= 0 ORDER BY id FOR UPDATE"
)


_ALL = (
    Guard(
        name="one request of a key",
        kind="advisory lock, by user and Idempotency-Key",
        why="A retry waits for the first request, and then finds its answer.",
        shown_by="hold + hold: one Idempotency-Key",
        behind=("one hold of a holder at a time", "one hold from an address at a time"),
        removal=_advisory_lock(r"\block_key\b"),
    ),
    Guard(
        name="one act on a patient's waitlist",
        kind=f"advisory lock, `{WAITLIST_OF}` and the patient",
        why="Two times that are released at once would both be offered for one wish, and an offer"
        " and a leave would pass each other.",
        shown_by="offer + offer: the only one who waits",
        removal=_advisory_lock(WAITLIST_OF),
    ),
    Guard(
        name="one hold of a holder at a time",
        kind="advisory lock, by patient or guest session",
        why="Two requests of one holder would both count the holds before either has its own.",
        shown_by="hold + hold: the last of a patient's three holds",
        removal=_text(r"hashtextextended\(call\.holder_key, 0\)", "NULL"),
    ),
    Guard(
        name="one hold from an address at a time",
        kind="advisory lock, by a digest of the address",
        why="As for the holder, for the limit of holds from one address.",
        shown_by="hold + hold: the last hold from an address",
        removal=_text(r"call\.address\]", "NULL::bigint]"),
    ),
    Guard(
        name="one hold of a full doctor at a time",
        kind="advisory lock, `visits-a-day:` and the doctor, if they take only so many",
        why="Two who want the last place of a day would both count the visits before either is in.",
        shown_by="hold + hold: the last place of a doctor's day",
        removal=_text(r"bookings_lock_of_busy_doctor\(call\.slot_id\)", "NULL::bigint"),
    ),
    Guard(
        name="no waiting among many",
        kind="advisory locks, tried and not waited for",
        why="Two batches that want the locks of the same two people, in two orders, would wait for"
        " each other.",
        shown_by="hold + hold: two people's holds, each batch in its own order",
        removal=_text(r"may_wait => %\(may_wait\)s", "may_wait => true"),
    ),
    Guard(
        name="the claim of slots",
        kind="row locks of the slots, by id, skipping locked rows",
        why="Two who look at a free slot would both take it. Nobody waits for it: a row that"
        " somebody works on counts as held.",
        shown_by="hold + hold: a slot kept free after a visit",
        removal=_text(r"FOR UPDATE(?: OF \w+)? SKIP LOCKED", ""),
    ),
    Guard(
        name="all slots or none",
        kind="a count of the claimed slots",
        why="Of a long visit, somebody else may have claimed a part.",
        shown_by="hold + hold: a slot kept free after a visit",
        removal=_text(r"claim\.slots = cardinality\(\(each\.facts\)\.slot_ids\)", "true"),
    ),
    Guard(
        name="a lapsed hold as a whole",
        kind="row locks of its other slots, by id, skipping locked rows",
        why="Somebody who works on a part would find that the hold has ended, and nobody would open"
        " that part.",
        shown_by="hold + sweep: a part of a lapsed time",
        removal=_text(r"\(claim\.lapsed_holds IS NULL OR [^)]*\)\)", "true"),
    ),
    Guard(
        name="the slots, before anything that has them",
        kind="row locks of the slots, by id",
        why="Who confirms, gives back, cancels or moves waits for anybody who works on the time,"
        " and nobody takes the time over once it was looked at.",
        shown_by="confirm + expire: the last moment",
        removal=_row_lock("doctors_slot"),
    ),
    Guard(
        name="slots by id",
        kind="an order",
        why="Two who lock the same slots in two orders would wait for each other.",
        shown_by="confirm + release: a long visit",
        removal=_text(
            r"(SELECT id FROM doctors_slot .* ORDER BY id) FOR UPDATE", r"\1 DESC FOR UPDATE"
        ),
    ),
    Guard(
        name="slots before the hold",
        kind="an order",
        why="Who has the slots and wants the hold would wait for somebody who has the hold and"
        " wants the slots.",
        shown_by="confirm + release: one hold",
        removal=lambda statement: _SLOTS_SENT.sub(_HOLDS_FIRST, statement),
    ),
    Guard(
        name="the hold",
        kind="row lock of the hold, after its slots",
        why="Everybody who has the slots has the hold too. This lock also stops those who change a"
        " hold and not its slots.",
        shown_by="confirm + release: one hold",
        removal=_row_lock("bookings_hold"),
        behind=("the slots, before anything that has them",),
    ),
    Guard(
        name="a second look at the hold",
        kind="a read after the lock",
        why="Somebody who had the slots before may have ended the hold.",
        shown_by="confirm + release: one hold",
        removal=_text(r"\(facts\.hold\)\.state <> 'held' OR ", ""),
        behind=("a last look at the slots",),
    ),
    Guard(
        name="a last look at the slots",
        kind="a count of the slots that the hold still has",
        why="If the hold says that it is alive and its slots say otherwise, the slots are right.",
        shown_by="confirm + release: one hold",
        removal=_text(r"WHEN NOT facts\.has_its_slots THEN 'hold-expired'", ""),
        behind=("a second look at the hold",),
    ),
    Guard(
        name="guesses at a mailbox",
        kind="advisory lock, `guesses-of:` and a digest of the mailbox",
        why="Wrong codes at several holds of one mailbox: no more than the limit are looked at.",
        shown_by="wrong code + wrong code: the last guess at a mailbox, in two holds",
        removal=_text(r"hashtextextended\('guesses-of:'[^\n]*, 0\)", "NULL::bigint"),
    ),
    Guard(
        name="the visits of a patient",
        kind=f"advisory lock, `{VISITS_OF}` and the patient",
        why="Two confirmations of one patient would both count the visits ahead, and neither would"
        " see the other one's time.",
        shown_by="confirm + confirm: the last visit that a patient may have",
        removal=_in_turn(
            _text(r"hashtextextended\('visits-of:' \|\| patient, 0\)", "NULL::bigint"),
            _advisory_lock(VISITS_OF),
        ),
        behind=("guesses at a mailbox",),
    ),
    Guard(
        name="the visit",
        kind="row lock of the appointment",
        why="Who changes a visit looks at its status and version after anybody who was faster.",
        shown_by="mark + cancel: one visit",
        removal=_row_lock("bookings_appointment"),
    ),
    Guard(
        name="one live hold on a slot",
        kind="exclusion constraint",
        why="If the claim let two pass, the database would refuse the second hold.",
        shown_by="hold + hold: one free time",
        constraint="one_live_hold_on_a_slot",
        behind=("the claim of slots",),
    ),
    Guard(
        name="no overlapping visits of a patient",
        kind="exclusion constraint",
        why="If two confirmations of a patient did not wait for each other, the database would"
        " refuse the second visit.",
        shown_by="confirm + confirm: the patient's hour, with two doctors",
        constraint="no_overlapping_visits_of_a_patient",
        behind=("the visits of a patient", "guesses at a mailbox"),
    ),
)
GUARDS = {each.name: each for each in _ALL}
