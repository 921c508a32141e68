"""A worker carries a decision out while others act: each visit changes once, and is told once."""

from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone

from bookings.appointments.services.changes import cancel_appointment
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Choice, Hold, RearrangedVisit, Rearrangement
from bookings.rearranging.services import carrying_out, decisions
from bookings.rearranging.services.carrying_out import carry_out
from bookings.rearranging.services.offers import take_offered_time
from docbook.errors import FieldError
from docbook.outbox.models import OutboxMessage
from tests.bookings.acts import as_patient, code_of, hold_instead
from tests.bookings.rearranging.scenes import DayOff, day_off, works_through
from tests.concurrency.rounds import broken_promises
from tests.concurrency.rush import rush

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def work(decision: Rearrangement) -> int:
    return carry_out(rearrangement_id=decision.pk, now=timezone.now())


def cancel(scene: DayOff) -> str:
    visit = scene.visits[0]
    done = cancel_appointment(
        appointment_id=visit.pk, by=as_patient(visit.patient), version=1, now=timezone.now()
    )
    return str(done.status)


def told(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=topic).count()


def act_at_once(*acts: Any) -> list[Any]:
    return rush(lambda act: act(), list(acts))


def test_two_workers_do_each_visit_once() -> None:
    decision = day_off(count=2).decides(Choice.OFFER)
    answers = act_at_once(*[lambda: work(decision)] * 3)
    assert sum(answers) == 2
    assert told("times.offered") == 2
    assert {each.state for each in decision.items.all()} == {"done"}
    assert broken_promises() == []


def test_without_the_lock_two_workers_would_do_one_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: both find that the item waits, before either has done it."""
    decision, barrier = day_off(count=1).decides(Choice.OFFER), Barrier(2)

    def look(item_id: int) -> RearrangedVisit:
        item = RearrangedVisit.objects.get(pk=item_id, state="waiting")
        barrier.wait(10)
        return item

    monkeypatch.setattr(carrying_out, "_lock", look)
    assert act_at_once(lambda: work(decision), lambda: work(decision)) == [1, 1]


def decides(scene: DayOff, choice: Choice) -> str:
    try:
        return str(scene.decides(choice).choice)
    except FieldError as error:
        return str(error.field_code)


def two_decisions(scene: DayOff) -> list[str]:
    """A visit that is kept leaves no item that waits, so no constraint sees the other decision."""
    both = [lambda: decides(scene, Choice.KEEP), lambda: decides(scene, Choice.CANCEL)]
    return sorted(act_at_once(*both))


def test_of_two_different_decisions_at_once_one_is_taken() -> None:
    for _ in range(ROUNDS):
        scene = day_off(count=1)
        assert two_decisions(scene) in (["keep", "required"], ["cancel", "required"])
        assert RearrangedVisit.objects.filter(visit=scene.visits[0].pk).count() == 1


def test_without_the_lock_both_decisions_would_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: both have read that nothing is decided, before either writes."""
    scene, barrier, add_items = day_off(count=1), Barrier(2), decisions._add_items

    def add_later(*given: Any, **named: Any) -> int:
        barrier.wait(10)
        return add_items(*given, **named)

    monkeypatch.setattr(decisions, "lock_hours", lambda _doctor: None)
    monkeypatch.setattr(decisions, "_add_items", add_later)
    assert two_decisions(scene) == ["cancel", "keep"]


def test_of_a_decision_and_the_patients_own_cancellation_one_is_made() -> None:
    for _ in range(ROUNDS):
        scene = day_off(count=1)
        decision = scene.decides(Choice.HAND_OVER, colleague=scene.colleague())
        before = told("appointment.moved") + told("appointment.cancelled")
        _number, answer = act_at_once(lambda d=decision: work(d), lambda s=scene: cancel(s))
        item, visit = decision.items.get(), Appointment.objects.get(pk=scene.visits[0].pk)
        if visit.status == "cancelled":
            assert (item.failure, answer) == ("version-mismatch", "cancelled")
        else:
            assert (item.state, visit.status) == ("done", "rescheduled")
            assert type(answer).__name__ == "VersionMismatch"
        assert told("appointment.moved") + told("appointment.cancelled") == before + 1
    assert broken_promises() == []


def test_of_a_decision_and_the_patients_own_move_one_is_made() -> None:
    for _ in range(ROUNDS):
        scene = day_off(count=1)
        visit = scene.visits[0]
        hold = hold_instead(visit, scene.later[0])
        code, holder = code_of(hold), as_patient(visit.patient)
        decision = scene.decides(Choice.HAND_OVER, colleague=scene.colleague())
        act_at_once(
            lambda d=decision: work(d),
            lambda h=hold, c=code, p=holder: confirm_booking(hold_id=h.pk, holder=p, code=c),
        )
        item = decision.items.get()
        new = Appointment.objects.get(replaces=visit.pk, status="confirmed")
        by_the_patient = new.doctor_id == scene.doctor.pk
        assert item.failure == ("version-mismatch" if by_the_patient else "")
    assert broken_promises() == []


def test_of_two_offered_times_taken_at_once_one_becomes_the_visit() -> None:
    for _ in range(ROUNDS):
        scene = day_off(count=1)
        works_through(scene.decides(Choice.OFFER))
        item = RearrangedVisit.objects.get(visit=scene.visits[0].pk)
        holds = list(Hold.objects.filter(guest_key=item.offer_key)[:2])
        act_at_once(
            *[lambda h=hold, i=item: take_offered_time(item=i, hold_id=h.pk) for hold in holds]
        )
        assert Appointment.objects.filter(replaces=scene.visits[0].pk).count() == 1
    assert broken_promises() == []


def test_of_two_decisions_at_once_about_one_visit_one_is_taken() -> None:
    for _ in range(ROUNDS):
        scene = day_off(count=2)
        answers = act_at_once(*[lambda s=scene: s.decides(Choice.CANCEL)] * 2)
        assert sorted(type(each).__name__ for each in answers) == ["FieldError", "Rearrangement"]
        (refusal,) = [each for each in answers if isinstance(each, FieldError)]
        assert refusal.field == "visits"
        assert RearrangedVisit.objects.filter(visit__doctor=scene.doctor).count() == 2
