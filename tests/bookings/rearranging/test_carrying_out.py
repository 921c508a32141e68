"""A worker carries decisions out: each choice, what stands in its way, and crashes half-way."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment
from bookings.invariants.checks import check_invariants
from bookings.models import Appointment, Choice, Hold, RearrangedVisit
from bookings.rearranging.services import carrying_out
from bookings.rearranging.services.carrying_out import carry_out
from bookings.rearranging.services.decisions import decide
from docbook.audit.models import AuditEvent
from docbook.outbox.models import OutboxMessage
from doctors.models import Doctor, SecretaryAssignment, Slot
from tests.bookings.acts import as_patient, book
from tests.bookings.rearranging.scenes import WHY, DayOff, day_off, works_through
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_visit_type,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db

DONE = ("done", "")


def kept_promises() -> list[str]:
    return [str(each.finding) for each in check_invariants() if each.is_broken]


def told(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=topic).count()


def test_cancelled_visits_are_free_again_and_each_patient_is_told_once() -> None:
    scene = day_off(count=2)
    assert works_through(scene.decides(Choice.CANCEL)) == [DONE, DONE]
    for visit in Appointment.objects.all():
        assert (visit.status, visit.change_reason) == ("cancelled", WHY)
        assert (visit.changed_by_kind, visit.changed_by) == ("secretary", scene.by.user.pk)
    assert told("appointment.cancelled") == 2
    assert {each.state for each in Slot.objects.filter(doctor=scene.doctor)} == {"open"}
    assert kept_promises() == []


def test_a_second_run_does_nothing_more() -> None:
    scene = day_off(count=2)
    decision = scene.decides(Choice.CANCEL)
    works_through(decision)
    assert carry_out(rearrangement_id=decision.pk, now=timezone.now()) == 0
    assert told("appointment.cancelled") == 2


def test_after_a_crash_the_next_run_goes_on_and_tells_nobody_twice(monkeypatch: Any) -> None:
    """The second visit fails after it has changed, before that is committed. The third goes on."""
    scene = day_off(count=3)
    decision, number = scene.decides(Choice.CANCEL), 0

    def dies_at_the_second(**given: Any) -> Appointment:
        nonlocal number
        number += 1
        visit = cancel_appointment(**given)
        if number == 2:
            raise OperationalError("the server closed the connection")
        return visit

    monkeypatch.setattr(carrying_out, "cancel_appointment", dies_at_the_second)
    with pytest.raises(OperationalError):
        carry_out(rearrangement_id=decision.pk, now=timezone.now())
    waiting = RearrangedVisit.objects.filter(state="waiting").count()
    assert (waiting, told("appointment.cancelled")) == (1, 2)
    assert works_through(decision) == [DONE, DONE, DONE]
    assert told("appointment.cancelled") == 3


def test_many_visits_go_in_batches_that_ask_for_each_other(monkeypatch: Any) -> None:
    monkeypatch.setattr(carrying_out, "BATCH", 2)
    scene = day_off(count=5)
    decision = scene.decides(Choice.CANCEL)
    numbers = [carry_out(rearrangement_id=decision.pk, now=timezone.now()) for _ in range(4)]
    assert numbers == [2, 2, 1, 0]
    assert told("visits.rearranged") == 3  # the decision, and two batches that left some
    assert told("appointment.cancelled") == 5


def test_two_hundred_visits_are_each_told_once() -> None:
    doctor = make_doctor(slot_minutes=5)
    visit_type, number = make_visit_type(doctor=doctor), 200
    slots = make_slots(doctor=doctor, starts_at=tomorrow_at(4, days=3), count=number)
    visits = [make_appointment(slots=[slot], visit_type=visit_type) for slot in slots]
    decision = decide(
        doctor=doctor,
        visits=[visit.pk for visit in visits],
        choice=Choice.CANCEL,
        reason=WHY,
        by=PracticeMember(make_secretary(doctor=doctor)),
        now=timezone.now(),
    )
    assert works_through(decision) == [DONE] * number
    messages = OutboxMessage.objects.filter(topic="appointment.cancelled")
    assert len(set(messages.values_list("aggregate_id", flat=True))) == number
    assert messages.count() == number
    assert told("visits.rearranged") == number // carrying_out.BATCH


def test_statements_of_a_visit_do_not_grow_with_the_decision() -> None:
    counts = []
    for count in (2, 4):
        decision = day_off(count=count).decides(Choice.CANCEL)
        with CaptureQueriesContext(connection) as queries:
            carry_out(rearrangement_id=decision.pk, now=timezone.now())
        counts.append(len(queries))
    of_a_visit = (counts[1] - counts[0]) / 2
    assert of_a_visit == int(of_a_visit)
    assert counts[0] - 2 * of_a_visit <= 2  # the decision, and its waiting visits


def test_a_visit_that_changed_meanwhile_is_left_alone() -> None:
    scene = day_off(count=2)
    decision = scene.decides(Choice.HAND_OVER, colleague=scene.colleague())
    first = scene.visits[0]
    cancel_appointment(
        appointment_id=first.pk,
        by=as_patient(first.patient),
        version=first.version,
        now=timezone.now(),
    )
    assert works_through(decision) == [("failed", "version-mismatch"), DONE]
    assert told("appointment.moved") == 1


def test_somebody_who_lost_their_place_meanwhile_changes_nothing() -> None:
    scene = day_off(count=1)
    decision = scene.decides(Choice.CANCEL)
    SecretaryAssignment.objects.all().delete()
    assert works_through(decision) == [("failed", "not-found")]
    assert Appointment.objects.get().status == "confirmed"


def test_handed_over_visits_are_with_the_colleague_at_the_same_time_and_price() -> None:
    scene = day_off(count=2)
    colleague = scene.colleague()
    assert works_through(scene.decides(Choice.HAND_OVER, colleague=colleague)) == [DONE, DONE]
    for old in scene.visits:
        before = Appointment.objects.get(pk=old.pk)
        new = Appointment.objects.get(replaces=old.pk)
        assert (before.status, before.replaced_by) == ("rescheduled", new.pk)
        assert (before.change_reason, before.changed_by) == (WHY, scene.by.user.pk)
        assert (new.doctor, new.clinic_id) == (colleague, old.clinic_id)
        assert (new.starts_at, new.ends_at) == (old.starts_at, old.ends_at)
        assert (new.patient, new.patient_name, new.reason) == (
            old.patient,
            old.patient_name,
            old.reason,
        )
        assert (new.price_cents, new.currency) == (old.price_cents, old.currency)
        assert (new.visit_name, new.mode) == (old.visit_name, old.mode)
        hold = Hold.objects.get(pk=new.pk)
        assert (hold.price_cents, hold.email) == (old.price_cents, old.patient.email)
    assert told("appointment.moved") == 2
    assert {each.state for each in Slot.objects.filter(doctor=colleague)} == {"booked"}
    assert {each.state for each in Slot.objects.filter(doctor=scene.doctor)} == {"open"}
    assert kept_promises() == []


def test_audit_names_the_secretary_on_the_colleagues_visit_as_well() -> None:
    scene = day_off(count=1)
    works_through(scene.decides(Choice.HAND_OVER, colleague=scene.colleague()))
    new = Appointment.objects.get(replaces=scene.visits[0].pk)
    for pk, action in ((scene.visits[0].pk, "rescheduled"), (new.pk, "confirmed")):
        event = AuditEvent.objects.get(object_id=str(pk), action=f"appointment.{action}")
        assert event.actor_id == scene.by.user.pk
        assert event.actor_kind == "secretary"


def taken(_scene: DayOff, colleague: Doctor) -> str:
    slot, visit_type = colleague.slots.get(), colleague.visit_types.get()
    book(slot, visit_type=visit_type, holder=as_patient(make_patient()))
    return "slot-taken"


def no_slot(_scene: DayOff, colleague: Doctor) -> str:
    colleague.slots.all().delete()
    return "no-such-time"


def elsewhere(_scene: DayOff, colleague: Doctor) -> str:
    colleague.slots.update(clinic=make_clinic())
    return "no-such-time"


def no_such_visit(_scene: DayOff, colleague: Doctor) -> str:
    colleague.visit_types.update(slots=2)
    return "no-such-visit"


def another_mode(_scene: DayOff, colleague: Doctor) -> str:
    colleague.visit_types.update(mode="video")
    return "no-such-visit"


def gone(_scene: DayOff, colleague: Doctor) -> str:
    colleague.is_active = False
    colleague.save()
    return "no-colleague"


@pytest.mark.parametrize("why", [taken, no_slot, elsewhere, no_such_visit, another_mode, gone])
def test_what_cannot_be_handed_over_stays_and_says_why(why: Any) -> None:
    scene = day_off(count=1)
    colleague = scene.colleague()
    decision = scene.decides(Choice.HAND_OVER, colleague=colleague)
    code = why(scene, colleague)
    assert works_through(decision) == [("failed", code)]
    assert Appointment.objects.get(pk=scene.visits[0].pk).status == "confirmed"
    assert told("appointment.moved") == 0
