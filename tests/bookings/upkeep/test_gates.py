"""A lock in Redis that has no hold behind it keeps a time from everybody: it is opened."""

import pytest
from django_redis import get_redis_connection

from bookings.engine import slot_gate
from bookings.upkeep.gates import open_gates_without_hold
from docbook.lock_keys import LOCK_OF_SLOT
from tests.bookings.acts import bookable, guest, key_of, take

pytestmark = pytest.mark.django_db


def locked() -> set[int]:
    return set(slot_gate.locks())


def test_only_locks_without_a_hold_are_opened() -> None:
    visit_type, slots = bookable()
    hold = take(slots[0], visit_type=visit_type, holder=guest())
    redis = get_redis_connection("default")
    for slot in slots[1:3]:
        redis.set(f"{LOCK_OF_SLOT}{slot.pk}", key_of(guest()), px=60_000)
    assert locked() == {slot.pk for slot in slots[:3]}
    assert open_gates_without_hold() == 2
    assert locked() == set(hold.slot_ids)
    assert open_gates_without_hold() == 0


def test_lock_of_another_holder_than_the_one_who_has_the_time_is_opened() -> None:
    visit_type, slots = bookable()
    take(slots[0], visit_type=visit_type, holder=guest())
    stranger = key_of(guest())
    get_redis_connection("default").set(f"{LOCK_OF_SLOT}{slots[0].pk}", stranger, px=60_000)
    assert slot_gate.locks() == {slots[0].pk: stranger}
    assert open_gates_without_hold() == 1
    assert locked() == set()


def test_without_locks_nothing_is_looked_up(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert open_gates_without_hold() == 0
