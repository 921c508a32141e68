"""Acts at once, in every order that matters; `make proof ARGS=races` explores all pairs.

Here: the meetings that need a guard, with one switch between the callers, and each guard taken
away.
"""

import json

import pytest

from docbook.postgres.rows import rows_of
from proof.races.callers import Stop
from proof.races.explorer import ENOUGH, explore_without, exploring
from proof.races.footprints import ADVISORY, Catalogue, Footprint, read_catalogue
from proof.races.guards import GUARDS
from proof.races.instruments import statements, with_stops
from proof.races.meetings import MEETINGS, pairs_without_a_meeting
from proof.races.page import page
from proof.races.results import Control, Met, Way
from proof.races.schedules import Schedule, Step, Trace, explore
from proof.report import RESULTS

BY_NAME = {each.name: each for each in MEETINGS}
# Races that were found here.
FOUND = (
    "resend + accept: one offer",
    "hold + sweep: a part of a lapsed time",
    "confirm + expire: a part of a lapsed time",
    "resend + expire: a part of a lapsed time",
)
EXPLORED = sorted({*(each.shown_by for each in GUARDS.values()), *FOUND})

FUNCTION = """CREATE OR REPLACE FUNCTION bookings_end(p_hold uuid)
 LANGUAGE plpgsql
AS $function$
DECLARE
    found_ text := CASE WHEN true THEN 'a; b' ELSE '' END;
BEGIN
    -- BEGIN; not a statement
    SELECT CASE WHEN state = 'held' THEN 1 END INTO found_
    FROM bookings_hold WHERE id = p_hold FOR UPDATE;
    IF found_ = 'x' THEN
        UPDATE doctors_slot SET state = 'open' WHERE hold_id = p_hold;
    ELSIF found_ = 'y' THEN
        PERFORM pg_advisory_xact_lock(1);
    ELSE
        found_ := 'z';
    END IF;
END $function$
"""
CATALOGUE = Catalogue(
    tables=frozenset({"bookings_hold", "doctors_slot", "audit_auditevent"}),
    functions={"bookings_note": "INSERT INTO audit_auditevent SELECT * FROM bookings_hold"},
    triggers={},
)


def test_function_stops_before_each_statement_that_touches_a_table() -> None:
    text, places = with_stops(FUNCTION, name="bookings_end", oid=7, catalogue=CATALOGUE)
    assert [line.strip() for line in text.splitlines() if "races_stop" in line] == [
        "PERFORM races_stop('7.0'); SELECT CASE WHEN state = 'held' THEN 1 END INTO found_",
        "PERFORM races_stop('7.2'); UPDATE doctors_slot SET state = 'open' WHERE hold_id = p_hold;",
        "PERFORM races_stop('7.3'); PERFORM pg_advisory_xact_lock(1);",
    ]
    assert [str(each) for each in places.values()] == [
        "bookings_end:8",
        "bookings_end:11",
        "bookings_end:13",
    ]
    found = [FUNCTION[begin:end].split(maxsplit=1)[0] for begin, end in statements(FUNCTION)]
    assert found == ["SELECT", "IF", "UPDATE", "PERFORM", "found_"]


@pytest.mark.parametrize(
    ("sql", "reads", "changes"),
    [
        ('SELECT "bookings_hold"."id" FROM "bookings_hold"', {"bookings_hold"}, set()),
        ("SELECT 1 FROM bookings_hold FOR UPDATE", {"bookings_hold"}, {"bookings_hold"}),
        ("UPDATE doctors_slot SET x = 'bookings_hold'", set(), {"doctors_slot"}),
        ("INSERT INTO bookings_hold (id) VALUES (1)", set(), {"bookings_hold"}),
        ("INSERT INTO audit_auditevent (id) VALUES (1)", set(), set()),
        ("SELECT * FROM bookings_hold(1)", set(), set()),
        ("SELECT bookings_note(1)", {"bookings_hold"}, set()),
        ("SELECT pg_advisory_xact_lock(1)", set(), {ADVISORY}),
    ],
)
def test_footprint_of_a_statement(sql: str, reads: set[str], changes: set[str]) -> None:
    assert CATALOGUE.footprint(sql) == Footprint(frozenset(reads), frozenset(changes))


def count_in_memory(schedule: Schedule) -> tuple[Trace, int]:
    """Two callers who read a number and then write the next: a race, without a database."""
    row = Footprint(frozenset({"row"}), frozenset({"row"}))
    number, seen, done, steps = 0, [0, 0], [0, 0], []
    current = schedule.first
    while done != [2, 2]:
        could = done[current] < 2 and done[1 - current] < 2
        if done[current] == 2 or (could and len(steps) in schedule.switches):
            current, could = 1 - current, False
        steps.append(Step(current, Stop(f"{current}.{done[current]}", row), could))
        if done[current] == 0:
            seen[current] = number
        else:
            number = seen[current] + 1
        done[current] += 1
    return Trace(steps), number


@pytest.mark.parametrize(("switches", "numbers"), [(0, {2}), (1, {1, 2}), (2, {1, 2})])
def test_switches_find_the_lost_update(switches: int, numbers: set[int]) -> None:
    found: dict[Schedule, int] = {}

    def run(schedule: Schedule) -> Trace:
        trace, found[schedule] = count_in_memory(schedule)
        return trace

    explored = list(explore(run, most_switches=switches))
    assert explored[:2] == [Schedule(0), Schedule(1)]
    assert len(set(explored)) == len(explored)
    assert set(found.values()) == numbers
    assert all(len(each.switches) <= switches for each in explored)


def test_schedule_is_read_as_it_is_printed() -> None:
    for schedule in (Schedule(0), Schedule(1, (13,)), Schedule(0, (4, 21))):
        assert Schedule.read(str(schedule)) == schedule


def test_every_pair_of_verbs_meets() -> None:
    assert pairs_without_a_meeting() == []
    assert len(BY_NAME) == len(MEETINGS)
    assert {each.shown_by for each in GUARDS.values()} <= set(BY_NAME)


def test_every_meeting_and_guard_is_in_the_results() -> None:
    """Another one, or one with another name: `make proof ARGS=races`."""
    found = json.loads((RESULTS / "races.json").read_text())
    assert {Met.of_row(row).name for row in found["meetings"]} == set(BY_NAME)
    assert {Control(**row).guard for row in found["controls"]} == set(GUARDS)
    assert not [row for row in found["meetings"] if row["faults"]]
    assert all(row["faults"] for row in found["controls"])


def test_page_names_what_was_seen() -> None:
    ways = [
        Way(("held", "SlotHeld"), "one after the other", "0:"),
        Way(("SlotHeld", "held"), "one after the other", "1:"),
    ]
    met = [Met("hold", "hold", "one free time", 2, 40, ways, [])]
    guard = next(iter(GUARDS))
    made = page(met, [Control(guard, "hold + hold: one free time", 5, ["deadlock"])])
    assert "| hold | one free time | held / SlotHeld; SlotHeld / held | 40 |" in made
    assert "| **hold** | 2 |" in made
    assert ": deadlock |" in made


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", EXPLORED)
def test_no_order_of_two_acts_breaks_a_promise(name: str) -> None:
    with exploring() as explorer:
        found = explorer.explore(BY_NAME[name], most_switches=ENOUGH)
    assert found.schedules > 2
    assert [f"{each.what} in {each.schedule}" for each in found.faults] == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guard", GUARDS.values(), ids=lambda guard: guard.name)
def test_each_guard_is_missed(guard) -> None:
    """The negative control: without it, the same meeting goes wrong."""
    assert explore_without(guard, BY_NAME[guard.shown_by]).faults


@pytest.mark.django_db(transaction=True)
def test_functions_and_constraints_are_as_before_afterwards() -> None:
    texts = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'bookings%%' ORDER BY 1"
    rules = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2"
    before = [rows_of(texts), rows_of(rules)]
    with exploring(without=GUARDS["one live hold on a slot"]) as explorer:
        explorer.explore(BY_NAME["hold + hold: one free time"], most_switches=0)
        assert rows_of(rules) != before[1]
        assert rows_of(texts) != before[0]
    assert [rows_of(texts), rows_of(rules)] == before
    assert "races_stop" not in read_catalogue().functions
