"""The answers that clients got are compared with the database."""

from dataclasses import asdict, replace
from json import dumps
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from bookings.invariants.history import BrokenHistory, Event, read_history
from bookings.models import Hold
from tests.bookings.acts import as_patient, attempt, book
from tests.bookings.invariants.busy import Busy, all_is_told
from tests.bookings.invariants.recorded import recorded
from tests.bookings.invariants.test_every_invariant import broken


def free_slot(world: Busy):
    return world.slots[-1]


def test_all_that_was_answered_is_there(world):
    assert broken(recorded(world)) == {}


@pytest.mark.parametrize("f", ["hold", "confirm", "move", "cancel"])
def test_success_that_is_not_in_the_database_is_reported(world, f):
    lost = str(uuid7())
    answer = Event("ok", f, "op", world.confirmed.patient_id, 1, "key", lost, status=200)
    found = broken([*recorded(world), answer])
    assert list(found) == ["I10"]
    assert lost in found["I10"][0]


def test_hold_of_somebody_else_is_not_what_was_answered(world):
    events = recorded(world)
    theirs = replace(events[1], patient=world.cancelled.patient_id, key="another")
    assert "something else" in broken([*events, theirs])["I10"][0]


def test_visit_that_was_given_up_and_stands_is_reported(world):
    answer = Event(
        "ok", "cancel", "op", world.confirmed.patient_id, attempt=str(world.confirmed.pk)
    )
    assert list(broken([*recorded(world), answer])) == ["I10"]


def test_visit_that_was_moved_and_stands_is_reported(world):
    events = recorded(world)
    moves = [each for each in events if each.f == "move"]
    claimed = [replace(each, replaces=str(world.confirmed.pk)) for each in moves]
    assert list(broken([*events, *claimed])) == ["I10"]


def test_hold_that_was_released_and_lives_is_reported(world):
    answer = Event("ok", "release", "op", world.live.patient_id, attempt=str(world.live.pk))
    assert "I10" in broken([*recorded(world), answer])


def test_hold_that_nobody_asked_for_is_reported(world):
    holder = as_patient(world.confirmed.patient)
    hold = attempt(free_slot(world), visit_type=world.visit_type, holder=holder)
    all_is_told()
    assert broken(recorded(world)) == {"I11": [f"hold {hold.pk}: nobody asked for it"]}


def test_one_request_made_two_holds(world):
    """The slot was free again in between, and only one key was ever sent."""
    hold = Hold.objects.get(pk=world.cancelled.pk)
    [slot] = [each for each in world.slots if each.pk == hold.slot_ids[0]]
    holder = as_patient(world.cancelled.patient)
    attempt(slot, visit_type=world.visit_type, holder=holder)
    all_is_told()
    assert list(broken(recorded(world))) == ["I11"]


def test_visit_that_nobody_confirmed_is_reported(world):
    events = [each for each in recorded(world) if each.f != "confirm"]
    assert list(broken(events)) == ["I11"]


def test_visit_that_nobody_cancelled_is_reported(world):
    events = [each for each in recorded(world) if each.f != "cancel"]
    assert list(broken(events)) == ["I11"]


def test_what_was_there_before_the_history_is_nobodys_business(world):
    later = book(
        free_slot(world),
        visit_type=world.visit_type,
        holder=as_patient(world.confirmed.patient),
    )
    all_is_told()
    hold = Hold.objects.get(pk=later.pk)
    invoke = Event("invoke", "hold", "1", later.patient_id, hold.slot_ids[0], "k")
    confirm = Event("invoke", "confirm", "2", later.patient_id, attempt=str(later.pk))
    assert broken([invoke, confirm, replace(confirm, type="ok")]) == {}


@pytest.mark.parametrize(
    "change", [{"body_sha": "b"}, {"status": 409, "type": "fail", "code": "slot-taken"}]
)
def test_retry_with_another_answer_is_reported(world, change):
    events = recorded(world)
    assert list(broken([*events, replace(events[1], **change)])) == ["I12"]


@pytest.mark.parametrize(
    "change",
    [
        {"status": 503, "type": "info"},
        {"status": 429, "type": "fail", "code": "rate-limited"},
        {"status": 409, "type": "fail", "code": "slot-held"},
        {"status": 409, "type": "fail", "code": "idempotency-key-in-progress"},
    ],
    ids=lambda change: change.get("code", "unknown"),
)
def test_answers_that_time_cures_may_differ(world, change):
    events = recorded(world)
    assert broken([*events, replace(events[1], **change)]) == {}


def test_two_patients_may_choose_the_same_key(world):
    events = recorded(world)
    theirs = replace(events[1], patient=-1, body_sha="b", attempt="")
    assert broken([*events, theirs]) == {}


def test_history_is_read_from_files_of_lines(world, tmp_path: Path):
    events = recorded(world)
    half = len(events) // 2
    for name, part in {"1": events[:half], "2": events[half:]}.items():
        lines = (dumps(asdict(each) | {"process": 1, "at": 1.5}) + "\n" for each in part)
        (tmp_path / name).write_text("".join(lines))
    assert read_history([tmp_path / "1", tmp_path / "2"]) == events


@pytest.mark.parametrize("line", ["{", "[]", '{"type": "ok"}'])
def test_line_that_is_no_event_is_named(tmp_path: Path, line: str):
    path = tmp_path / "history"
    path.write_text(f"{line}\n")
    with pytest.raises(BrokenHistory, match="history, line 1"):
        read_history([path])
