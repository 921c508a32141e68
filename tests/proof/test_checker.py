"""A checker that has never failed proves nothing: it is given each fault that it must find."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.checker import HOLD_TERM, violations
from tests.proof.histories import SECOND, Honest, lost, refused, told

TERM = HOLD_TERM / SECOND

BOOKED = [told("hold", "a", at=0), told("confirm", "a", at=1, code="confirmed")]

# A visit of two slots that moves by one of them: both times share slot 2.
LONG = [
    told("hold", "a", at=0, slots=(1, 2)),
    told("confirm", "a", at=1, slots=(1, 2), code="confirmed"),
    told("hold", "b", at=2, slots=(2, 3), replaces="a"),
]
LONG_MOVED = [*LONG, told("move", "b", at=3, slots=(2, 3), replaces="a", code="confirmed")]

CLEAN = {
    "a move by less than its length": [
        *LONG_MOVED,
        told("move", "b", at=4, slots=(2, 3), replaces="a", code="confirmed"),
        told("hold", "c", at=5),
        told("cancel", "b", at=6, slots=(2, 3), code="cancelled"),
        told("hold", "d", at=7, slots=(2, 3)),
    ],
    "such a move that is given up": [
        *LONG,
        told("release", "b", at=3, slots=(2, 3)),
        told("read", "a", at=4, slots=(1, 2), code="confirmed"),
        told("hold", "c", at=5, slots=(3,)),
    ],
    "such a move whose reply is lost": [
        *LONG,
        lost("move", "b", at=3, slots=(2, 3), replaces="a"),
        told("hold", "c", at=5),
        told("read", "b", at=6, slots=(2, 3), code="confirmed"),
    ],
    "such a move after the visit was called off": [
        *LONG[:2],
        told("hold", "b", at=2, until=5, slots=(2, 3), replaces="a"),
        told("cancel", "a", at=2, until=4, slots=(1, 2), code="cancelled"),
        told("release", "b", at=6, slots=(2, 3)),
        told("hold", "c", at=7, slots=(2, 3)),
    ],
    "such a move that ends because the visit was called off": [
        *LONG,
        told("cancel", "a", at=3, slots=(1, 2), code="cancelled"),
        told("hold", "c", at=4, slots=(2, 3)),
    ],
    "a move that ends because the visit has moved elsewhere": [
        *LONG,
        told("hold", "c", at=3, slots=(4,), replaces="a"),
        told("move", "c", at=4, slots=(4,), replaces="a", code="confirmed"),
        told("hold", "d", at=5, slots=(2, 3)),
    ],
    "a booking": BOOKED,
    "a repeat of the confirmation": [*BOOKED, told("confirm", "a", at=2, code="confirmed")],
    "the next after a release": [
        told("hold", "a", at=0),
        told("release", "a", at=1),
        told("release", "a", at=1.2, until=5),
        told("hold", "b", at=2),
    ],
    "the next after a cancellation": [
        *BOOKED,
        told("cancel", "a", at=2, code="cancelled"),
        told("hold", "b", at=3),
        told("read", "a", at=4, code="cancelled"),
    ],
    "the next after the term, though nobody swept": [
        told("hold", "a", at=0),
        told("hold", "b", at=TERM),
        refused("confirm", "a", code="hold-expired", at=TERM + 1),
    ],
    "one of two at once": [
        told("hold", "a", at=0, until=5),
        refused("hold", code="slot-held", at=0, until=5),
        refused("hold", code="slot-taken", at=0, until=5),
        told("confirm", "a", at=5, until=6, code="confirmed"),
        refused("hold", code="slot-taken", at=5, until=7),
    ],
    "a lost reply, and who found the slot taken": [
        told("hold", "a", at=0),
        lost("confirm", "a", at=1),
        refused("hold", code="slot-taken", at=4),
    ],
    "a lost reply that had no effect": [
        told("hold", "a", at=0),
        lost("confirm", "a", at=1),
        told("release", "a", at=2),
        told("hold", "b", at=3),
    ],
    "a move": [
        *BOOKED,
        told("hold", "b", at=2, slots=(2,), replaces="a"),
        told("move", "b", at=3, slots=(2,), replaces="a", code="confirmed"),
        told("read", "a", at=4, code="rescheduled"),
        told("hold", "c", at=5),
    ],
    "neighbours of two slots each": [
        told("hold", "a", at=0, slots=(1, 2)),
        refused("hold", code="slot-taken", at=1, slots=(2, 3)),
        told("hold", "b", at=2, slots=(3, 4)),
    ],
}

FAULTY = {
    "a shared slot that somebody else gets while the visit has it": [
        *LONG,
        told("hold", "c", at=3, slots=(2,)),
    ],
    "a shared slot that somebody else gets after the move": [
        *LONG_MOVED,
        told("hold", "c", at=4, slots=(2,)),
    ],
    "a shared slot that is lost with a move that was given up": [
        *LONG,
        told("release", "b", at=3, slots=(2, 3)),
        told("hold", "c", at=4, slots=(2,)),
    ],
    "a move by less that leaves the rest of the old time taken": [
        *LONG_MOVED,
        refused("hold", code="slot-taken", at=4),
    ],
    "a move that ends before anybody asked for its visit": [
        *LONG,
        told("hold", "c", at=3, slots=(3,)),
        told("cancel", "a", at=4, slots=(1, 2), code="cancelled"),
    ],
    "a move that ends though its visit was not changed": [
        *LONG,
        refused("cancel", "a", at=3, slots=(1, 2), code="change-window-passed"),
        told("hold", "c", at=4, slots=(3,)),
    ],
    "a hold on a visit that it does not move": [
        *LONG[:2],
        told("hold", "b", at=2, slots=(2, 3), replaces="c"),
    ],
    "two winners of one hold": [told("hold", "a", at=0, until=5), told("hold", "b", at=1)],
    "two winners of overlapping visits": [
        told("hold", "a", at=0, slots=(1, 2)),
        told("hold", "b", at=1, slots=(2, 3)),
    ],
    "an acknowledged booking that was lost, and given to another": [
        *BOOKED,
        told("hold", "b", at=2),
    ],
    "an acknowledged booking that nobody knows any more": [
        *BOOKED,
        refused("read", "a", code="not-found", at=2),
    ],
    "a read that goes back in time": [
        *BOOKED,
        told("cancel", "a", at=2, code="cancelled"),
        told("read", "a", at=3, code="confirmed"),
    ],
    "a cancellation that was seen, then not": [
        *BOOKED,
        lost("cancel", "a", at=2),
        told("read", "a", at=3, code="cancelled"),
        told("read", "a", at=4, code="confirmed"),
    ],
    "a phantom release": [told("hold", "a", at=0), told("hold", "b", at=TERM - 10)],
    "a hold that ended before its time": [
        told("hold", "a", at=0),
        refused("confirm", "a", code="hold-expired", at=TERM - 10),
    ],
    "a confirmation after the release": [
        told("hold", "a", at=0),
        told("release", "a", at=1),
        told("confirm", "a", at=2, code="confirmed"),
    ],
    "a booking by two": [
        told("hold", "a", at=0),
        told("hold", "b", at=TERM + 1),
        told("confirm", "b", at=TERM + 2, code="confirmed"),
        told("confirm", "a", at=TERM + 3, code="confirmed"),
    ],
    "taken, though nobody ever booked it": [
        told("hold", "a", at=0),
        refused("hold", code="slot-taken", at=1),
    ],
    "a release that was refused, though the visit was never booked": [
        told("hold", "a", at=0),
        refused("release", "a", code="already-confirmed", at=1),
    ],
    "a move that left the old time booked": [
        *BOOKED,
        told("hold", "b", at=2, slots=(2,), replaces="a"),
        told("move", "b", at=3, slots=(2,), replaces="a", code="confirmed"),
        told("read", "a", at=4, code="confirmed"),
    ],
}


@pytest.mark.parametrize("history", CLEAN.values(), ids=CLEAN)
def test_what_an_honest_slot_may_answer_passes(history):
    assert violations(history) == []


@pytest.mark.parametrize("history", FAULTY.values(), ids=FAULTY)
def test_what_no_order_explains_is_found(history):
    (violation,) = violations(history)

    assert violation.op in history
    assert "but the slot could only be" in str(violation)


@given(seed=st.integers(0, 2**32), slots=st.integers(1, 3))
def test_an_honest_register_raises_no_alarm(seed, slots):
    history = Honest(Random(seed), slots=slots).history(length=40)

    assert list(map(str, violations(history))) == []


def test_a_thief_in_a_long_history_is_found():
    """Somebody holds a time that was booked just before and not cancelled."""
    tried = 0
    for seed in range(100):
        history = Honest(Random(seed), slots=1).history(length=60)
        booked = next((each for each in history if each.code == "confirmed"), None)
        before = [each for each in history if booked and (each.ended or 0) <= booked.ended]
        if booked is None or any(booked.attempt == _called_off(each) for each in before):
            continue
        tried += 1
        thief = told("hold", "thief", at=booked.ended / SECOND + 1e-6)
        assert violations(before) == []
        assert [each.op for each in violations([*before, thief])] == [thief]
    assert tried > 25


def _called_off(operation):
    return operation.attempt if operation.f == "cancel" else operation.replaces


def test_ten_thousand_operations_take_no_time_worth_mentioning():
    """So an exponential checker hangs here and not after a night's load."""
    history = Honest(Random(1), slots=20).history(length=10_000)

    assert violations(history) == []
