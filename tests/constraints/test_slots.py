"""The grid, which decides who has a time."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from doctors.models import SlotState
from tests.constraints.registry import breaks
from tests.factories import make_doctor, make_slots, tomorrow_at


@breaks("one_slot_per_doctor_and_start")
def test_a_doctor_has_one_slot_at_a_start():
    doctor = make_doctor()
    make_slots(doctor=doctor)
    make_slots(doctor=doctor)


@breaks("no_overlapping_slots_of_a_doctor")
def test_slots_of_a_doctor_do_not_overlap():
    doctor = make_doctor(slot_minutes=20)
    make_slots(doctor=doctor, starts_at=tomorrow_at(9))
    make_slots(doctor=doctor, starts_at=tomorrow_at(9, 10))


@pytest.mark.django_db
def test_slots_of_a_doctor_may_touch_and_those_of_two_doctors_overlap():
    make_slots(doctor=make_doctor(), count=2)
    make_slots(doctor=make_doctor(), starts_at=tomorrow_at(9, 10))


@breaks("slot_ends_after_it_starts")
def test_a_slot_of_no_length_is_refused():
    [slot] = make_slots(doctor=make_doctor())
    slot.ends_at = slot.starts_at
    slot.save()


@breaks("held_slot_has_its_hold_and_its_end")
def test_a_held_slot_without_a_hold_is_refused():
    in_a_minute = timezone.now() + timedelta(minutes=1)
    make_slots(doctor=make_doctor(), state=SlotState.HELD, held_until=in_a_minute)


@breaks("held_slot_has_its_hold_and_its_end")
def test_a_held_slot_without_an_end_is_refused():
    make_slots(doctor=make_doctor(), state=SlotState.HELD, hold_id=uuid7())


@breaks("booked_slot_has_its_appointment")
def test_a_booked_slot_without_an_appointment_is_refused():
    make_slots(doctor=make_doctor(), state=SlotState.BOOKED)


@breaks("free_or_blocked_slot_belongs_to_nobody")
def test_an_open_slot_of_somebody_is_refused():
    make_slots(doctor=make_doctor(), hold_id=uuid7())


@breaks("free_or_blocked_slot_belongs_to_nobody")
def test_a_blocked_slot_of_somebody_is_refused():
    make_slots(doctor=make_doctor(), state=SlotState.BLOCKED, hold_id=uuid7())


@breaks("slot_has_a_known_state")
def test_a_slot_in_an_unknown_state_is_refused():
    make_slots(doctor=make_doctor(), state="lost")


@pytest.mark.django_db
def test_no_index_names_what_a_claim_changes():
    """Otherwise a claim would no longer be a heap-only update, and cost several times as much."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = 'doctors_slot'::regclass"
        )
        indexes = [definition for (definition,) in cursor.fetchall()]
    assert len(indexes) >= 3
    columns = ("state", "held_until", "hold_id")
    assert [each for each in indexes if any(column in each for column in columns)] == []


@breaks("slot_has_a_known_mode")
def test_a_slot_of_an_unknown_mode_is_refused():
    make_slots(doctor=make_doctor(), mode="pigeon")
