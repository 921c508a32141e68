"""Deciding about visits outside the hours: who may, about what, and what it leaves."""

from datetime import time
from typing import Any

import pytest
from django.utils import timezone

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.undecided import Standing
from bookings.models import Appointment, Choice, RearrangedVisit, Rearrangement
from bookings.schedule.selectors import PresentHours
from docbook.audit.models import AuditEvent
from docbook.errors import FieldError, NotYours
from docbook.outbox.models import OutboxMessage
from doctors.models import Doctor
from tests.bookings.rearranging.scenes import DAYS, WHY, day_off, works_through
from tests.bookings.traces import traces
from tests.factories import (
    make_appointment,
    make_doctor,
    make_override,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


def standings(doctor: Doctor) -> list[Standing]:
    return [each.standing for each in PresentHours(doctor, timezone.now()).outside]


def test_a_decision_waits_for_a_worker_and_changes_no_visit_by_itself() -> None:
    scene = day_off(count=2)
    decision = scene.decides(Choice.CANCEL)
    assert {each.status for each in Appointment.objects.all()} == {"confirmed"}
    assert standings(scene.doctor) == [Standing.UNDER_WAY] * 2
    (message,) = OutboxMessage.objects.filter(topic="visits.rearranged")
    assert message.payload == {"rearrangement_id": str(decision.pk)}
    event = AuditEvent.objects.get(action="visits.rearranged")
    assert (event.actor_kind, event.actor_id) == ("secretary", scene.by.user.pk)
    assert event.after == {"choice": "cancel", "visits": 2, "rearrangement": decision.pk}
    assert WHY not in str(event.after)


def test_the_same_decision_sent_twice_is_taken_once() -> None:
    scene = day_off(count=2)
    scene.decides(Choice.CANCEL)
    with pytest.raises(FieldError) as refusal:
        scene.decides(Choice.CANCEL)
    assert refusal.value.field == "visits"
    assert Rearrangement.objects.count() == 1


def test_only_the_ticked_visits_that_are_outside_the_hours_are_touched() -> None:
    scene = day_off(count=2)
    inside = make_slots(doctor=scene.doctor, starts_at=tomorrow_at(8, days=DAYS + 2))
    other = make_appointment(slots=inside, visit_type=scene.visit_type)
    decision = scene.decides(Choice.CANCEL, visits=[scene.visits[0].pk, other.pk])
    assert [each.visit_id for each in decision.items.all()] == [scene.visits[0].pk]
    assert standings(scene.doctor) == [Standing.UNDER_WAY, Standing.OPEN]


@pytest.mark.parametrize("choice", [Choice.CANCEL, Choice.OFFER, Choice.HAND_OVER])
def test_patients_are_told_why(choice: Choice) -> None:
    scene = day_off()
    before = traces()
    with pytest.raises(FieldError) as refusal:
        scene.decides(choice, reason="  ", colleague=scene.colleague())
    assert refusal.value.field == "reason"
    assert traces(without=frozenset({"slots"})) == {
        name: rows for name, rows in before.items() if name != "slots"
    }


def nobody(_scene: Any) -> None:
    return None


def another_specialty(_scene: Any) -> Doctor:
    return make_doctor()


def the_doctor(scene: Any) -> Doctor:
    return scene.doctor


def switched_off(scene: Any) -> Doctor:
    return scene.colleague(is_active=False)


@pytest.mark.parametrize("who", [nobody, another_specialty, the_doctor, switched_off])
def test_only_a_colleague_of_the_specialty_takes_visits_over(who: Any) -> None:
    scene = day_off()
    with pytest.raises(FieldError) as refusal:
        scene.decides(Choice.HAND_OVER, colleague=who(scene))
    assert refusal.value.field == "colleague"
    assert not Rearrangement.objects.exists()


STRANGERS = {
    "a patient": make_patient,
    "another secretary": lambda: make_secretary(doctor=make_doctor()),
    "another doctor": lambda: make_doctor(user=make_user()).user,
    "staff without the right": lambda: make_user(is_staff=True),
}


@pytest.mark.parametrize("who", STRANGERS)
def test_strangers_decide_nothing(who: str) -> None:
    scene = day_off()
    before = traces(without=frozenset({"users"}))
    with pytest.raises(NotYours):
        scene.decides(Choice.CANCEL, by=PracticeMember(STRANGERS[who]()))
    assert traces(without=frozenset({"users"})) == before
    assert not Rearrangement.objects.exists()


def test_kept_visits_leave_the_list_and_nobody_is_told() -> None:
    scene = day_off(count=2)
    messages = OutboxMessage.objects.count()
    scene.decides(Choice.KEEP, reason="ignored", visits=[scene.visits[0].pk])
    assert standings(scene.doctor) == [Standing.KEPT, Standing.OPEN]
    assert OutboxMessage.objects.count() == messages
    assert Rearrangement.objects.get().reason == ""


def test_a_kept_visit_comes_back_when_the_hours_of_its_day_change_again() -> None:
    scene = day_off(count=1)
    scene.decides(Choice.KEEP)
    another_day = tomorrow_at(days=DAYS + 5).date()
    make_override(doctor=scene.doctor, first_day=another_day)
    assert standings(scene.doctor) == [Standing.KEPT]
    scene.doctor.overrides.filter(first_day=scene.visits[0].starts_at.date()).delete()
    # Hours again, but not at the time of the visit.
    make_override(
        doctor=scene.doctor,
        first_day=scene.visits[0].starts_at.date(),
        starts=time(9),
        ends=time(11),
    )
    assert standings(scene.doctor) == [Standing.OPEN]


def test_a_visit_that_failed_is_open_again() -> None:
    scene = day_off(count=1, later=0)
    assert works_through(scene.decides(Choice.OFFER)) == [("failed", "no-other-times")]
    assert standings(scene.doctor) == [Standing.OPEN]
    works_through(scene.decides(Choice.CANCEL))
    assert RearrangedVisit.objects.count() == 2
