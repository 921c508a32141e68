"""The practice moves a visit: what it may override, and what speaks against a time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.actors.practice_member import PracticeMember
from bookings.errors import OutsideBookingWindow, SlotTaken
from bookings.models import Appointment
from bookings.schedule.moves import conflicts_at, times_to_choose
from bookings.schedule.services import move_visit
from docbook.audit.models import AuditEvent
from docbook.errors import FieldError, NotFound
from doctors.models import Slot, SlotState
from tests.bookings.traces import traces
from tests.factories import (
    make_appointment,
    make_doctor,
    make_hold,
    make_secretary,
    make_slots,
    make_user,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


def a_visit(*, slots: int = 4, **doctor: object) -> tuple[Appointment, list[Slot]]:
    """In the first of adjacent slots, in three days at nine; the doctor has a secretary."""
    found = make_slots(doctor=make_doctor(**doctor), starts_at=tomorrow_at(days=3), count=slots)
    make_secretary(doctor=found[0].doctor)
    return make_appointment(slots=found[:1]), found


def move(visit: Appointment, slot: Slot, *, anyway: bool = False, by: object = None) -> Appointment:
    return move_visit(
        appointment_id=visit.pk,
        slot_id=slot.pk,
        by=by or PracticeMember(visit.doctor.secretaries.get().secretary),
        version=visit.version,
        reason="Dr Visser operates that morning",
        anyway=anyway,
        now=timezone.now(),
    )


def overridden() -> list[object]:
    found = AuditEvent.objects.filter(action="rule.overridden")
    return [(event.actor_kind, event.object_id, event.after) for event in found]


def test_time_that_patients_can_book_needs_no_override() -> None:
    visit, slots = a_visit()
    assert move(visit, slots[2], anyway=True).starts_at == slots[2].starts_at
    assert overridden() == []


@pytest.mark.parametrize(
    ("rule", "doctor"),
    [("notice", {"min_notice_minutes": 6 * 24 * 60}), ("horizon", {"horizon_days": 2})],
)
def test_time_that_patients_cannot_book_is_chosen_on_purpose_and_written_down(
    rule: str, doctor: dict[str, int]
) -> None:
    visit, slots = a_visit(**doctor)
    before = traces()
    with pytest.raises(FieldError) as refused:
        move(visit, slots[2])
    assert (refused.value.field, refused.value.field_code) == ("anyway", rule)
    assert traces() == before
    moved = move(visit, slots[2], anyway=True)
    assert overridden() == [("secretary", str(moved.pk), {"rule": rule})]


def test_refused_move_writes_no_override() -> None:
    visit, slots = a_visit(horizon_days=2)
    Slot.objects.filter(pk=slots[2].pk).update(state=SlotState.BLOCKED)
    before = traces()
    with pytest.raises(SlotTaken):
        move(visit, slots[2], anyway=True)
    assert traces() == before


def test_time_that_has_begun_is_over_and_no_override_helps() -> None:
    visit, _slots = a_visit()
    [past] = make_slots(doctor=visit.doctor, starts_at=timezone.now() - timedelta(minutes=1))
    for anyway in (False, True):
        with pytest.raises(OutsideBookingWindow):
            move(visit, past, anyway=anyway)


def test_people_of_another_practice_find_nothing() -> None:
    visit, slots = a_visit()
    stranger = PracticeMember(make_doctor(user=make_user()).user)
    with pytest.raises(NotFound):
        move(visit, slots[2], by=stranger)


def test_all_free_times_of_the_day_are_shown_with_what_speaks_against_them() -> None:
    visit, slots = a_visit(slots=5, min_notice_minutes=6 * 24 * 60)
    Slot.objects.filter(pk=slots[1].pk).update(state=SlotState.BLOCKED)
    elsewhere = make_slots(doctor=make_doctor(), starts_at=slots[3].starts_at)
    make_appointment(slots=elsewhere, patient=visit.patient)
    day = visit.starts_at.astimezone(visit.zone).date()
    found = times_to_choose(visit, day=day, now=timezone.now())
    assert [(each.time.slot_id, each.is_patient_busy) for each in found] == [
        (slots[2].pk, False),
        (slots[3].pk, True),
        (slots[4].pk, False),
    ]
    assert {each.rule for each in found} == {"notice"}


def test_every_conflict_of_a_time_is_named_at_once() -> None:
    visit, slots = a_visit(slots=6)
    make_appointment(slots=slots[1:2])
    elsewhere = make_slots(doctor=make_doctor(), starts_at=slots[1].starts_at)
    make_appointment(slots=elsewhere, patient=visit.patient)
    make_hold(slots=slots[3:4])
    Slot.objects.filter(pk=slots[4].pk).update(state=SlotState.BLOCKED)

    def at(slot: Slot) -> list[str]:
        return conflicts_at(slot.starts_at, visit=visit, now=timezone.now())

    assert at(slots[0]) == []  # its own time
    assert at(slots[2]) == []
    assert at(slots[1]) == [
        "The doctor has another visit then.",
        "The patient has another visit then.",
    ]
    [held], [blocked] = at(slots[3]), at(slots[4])
    assert "on hold" in held
    assert "blocked" in blocked
    late = conflicts_at(slots[5].ends_at, visit=visit, now=timezone.now())
    assert late == ["It is outside the doctor’s hours."]
    over = conflicts_at(slots[2].starts_at, visit=visit, now=slots[2].starts_at)
    assert over == ["It is over."]


def test_staff_who_may_not_read_who_comes_move_nobody() -> None:
    visit, slots = a_visit()
    before = traces()
    with pytest.raises(NotFound):
        move(visit, slots[2], by=PracticeMember(make_user(is_staff=True)))
    assert traces()["slots"] == before["slots"]
