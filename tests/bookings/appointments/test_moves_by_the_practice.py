"""The practice moves a visit at once: who may, to which times, and what it leaves behind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_redis import get_redis_connection

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.moves import move_appointment
from bookings.engine.services import sweep_holds
from bookings.errors import NotChangeable, OutsideBookingWindow, PatientBusy, SlotTaken
from bookings.holding.services.pause import set_pause
from bookings.invariants.checks import check_invariants
from bookings.models import Appointment, Hold
from bookings.states import AppointmentStatus
from docbook.audit.models import AuditEvent
from docbook.audit.services import SYSTEM
from docbook.errors import FieldError, NotFound, VersionMismatch
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot, VisitType
from tests.bookings.acts import as_patient, attempt, book, bookable, guest, key_of, let_expire, take
from tests.bookings.parties import PRACTICE, STRANGERS, patient_of
from tests.bookings.traces import traces
from tests.factories import (
    make_clinic,
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)
from tests.sentences import is_a_sentence

pytestmark = pytest.mark.django_db

WHY = "Dr Visser operates that morning"


def booked(*, length: int = 1, **doctor: Any) -> tuple[Appointment, VisitType, list[Slot]]:
    """A visit in three days, in the third of six slots; the doctor has a secretary."""
    visit_type, _tomorrow = bookable(count=0, slots=length, **doctor)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=6)
    make_secretary(doctor=visit_type.doctor)
    visit = book(slots[2], visit_type=visit_type, holder=as_patient(make_patient()))
    return visit, visit_type, slots


def secretary_of(visit: Appointment) -> PracticeMember:
    return PracticeMember(visit.doctor.secretaries.get().secretary)


def move(visit: Appointment, slot: Slot, *, by: object = None, **fields: Any) -> Appointment:
    given = {
        "by": by or secretary_of(visit),
        "version": visit.version,
        "reason": WHY,
        "now": timezone.now(),
    }
    return move_appointment(appointment_id=visit.pk, slot_id=slot.pk, **(given | fields))


def states(slots: list[Slot]) -> list[str]:
    found = Slot.objects.in_bulk([slot.pk for slot in slots])
    return [found[slot.pk].state for slot in slots]


def kept() -> list[str]:
    return [str(each.finding) for each in check_invariants() if each.is_broken]


@pytest.mark.parametrize("who", PRACTICE)
def test_visit_moves_at_once_and_the_patient_is_told(who: str) -> None:
    old, _type, slots = booked()
    by = PRACTICE[who](old)
    new = move(old, slots[4], by=by)
    old.refresh_from_db()
    assert (old.status, old.version, old.replaced_by) == ("rescheduled", 2, new.pk)
    assert (old.changed_by_kind, old.changed_by) == (who, by.user.pk)
    assert old.change_reason == WHY
    assert (new.status, new.version, new.replaces) == ("confirmed", 1, old.pk)
    assert (new.starts_at, new.ends_at) == (slots[4].starts_at, slots[4].ends_at)
    assert new.patient == old.patient
    assert (new.patient_name, new.reason) == ("Saskia Kuipers", "A rash on the elbow")
    assert (new.price_cents, new.currency) == (old.price_cents, old.currency)
    assert states(slots) == ["open", "open", "open", "open", "booked", "open"]
    (message,) = OutboxMessage.objects.filter(topic="appointment.moved")
    assert message.payload == {
        "appointment_id": str(new.pk),
        "version": "1",
        "previous_id": str(old.pk),
    }
    assert kept() == []


def test_audit_names_who_moved_it_on_both_visits() -> None:
    old, _type, slots = booked()
    by, before = secretary_of(old), AuditEvent.objects.first()
    new = move(old, slots[4], by=by)
    trail = {event.action: event for event in AuditEvent.objects.filter(pk__gt=before.pk)}
    assert {(e.actor_kind, e.actor_id) for e in trail.values()} == {("secretary", by.user.pk)}
    assert trail["appointment.rescheduled"].object_id == str(old.pk)
    assert trail["appointment.rescheduled"].before == {"status": "confirmed", "version": 1}
    assert trail["appointment.rescheduled"].after == {
        "status": "rescheduled",
        "version": 2,
        "replaced_by": str(new.pk),
    }
    assert trail["appointment.confirmed"].object_id == str(new.pk)
    assert trail["appointment.confirmed"].after == {
        "status": "confirmed",
        "version": 1,
        "replaces": str(old.pk),
    }
    assert trail["hold.created"].after == {"state": "confirmed", "slots": [slots[4].pk]}
    assert WHY not in str([event.after for event in trail.values()])


def test_patient_is_reached_as_before() -> None:
    old, _type, slots = booked()
    new = move(old, slots[4])
    names = ["first_name", "last_name", "email", "phone", "reason", "patient_id"]
    rows = Hold.objects.order_by("created_at").values_list(*names)
    assert rows[0] == rows[1]
    assert Hold.objects.get(pk=new.pk).replaces == old.pk


@pytest.mark.parametrize(("to", "after"), [(3, "...bb."), (1, ".bb...")])
def test_long_visit_moves_by_one_slot(to: int, after: str) -> None:
    old, _type, slots = booked(length=2)
    new = move(old, slots[to])
    assert "".join("b" if each == "booked" else "." for each in states(slots)) == after
    assert set(Slot.objects.filter(state="booked").values_list("hold_id", flat=True)) == {new.pk}
    assert kept() == []


def test_time_at_another_clinic_of_the_doctor_is_a_time_like_any_other() -> None:
    old, visit_type, _slots = booked()
    clinic = make_clinic()
    (slot,) = make_slots(
        doctor=visit_type.doctor, starts_at=tomorrow_at(days=4), count=1, clinic=clinic
    )
    moved = move(old, slot)
    assert (old.reason, moved.clinic) == ("A rash on the elbow", clinic)
    # A reason written to one clinic is not for another.
    assert (moved.reason, Hold.objects.get(pk=moved.pk).reason) == ("", "")


def test_reason_moves_with_the_visit_inside_a_clinic() -> None:
    old, _visit_type, slots = booked()
    moved = move(old, slots[4])
    assert (
        moved.reason == Hold.objects.get(pk=moved.pk).reason == old.reason == "A rash on the elbow"
    )


@pytest.mark.parametrize("reason", ["", "  "])
def test_practice_has_to_say_why(reason: str) -> None:
    old, _type, slots = booked()
    before = traces()
    with pytest.raises(FieldError) as refusal:
        move(old, slots[4], reason=reason)
    assert refusal.value.field == "reason"
    assert traces() == before


@pytest.mark.parametrize("who", [*STRANGERS, "patient"])
def test_nobody_else_moves_it_without_a_code(who: str) -> None:
    old, _type, slots = booked()
    by = {**STRANGERS, "patient": patient_of}[who](old)
    before = traces()
    with pytest.raises(NotFound):
        move(old, slots[4], by=by)
    assert traces() == before


def taken(slots: list[Slot], visit_type: VisitType) -> type[Exception]:
    book(slots[4], visit_type=visit_type, holder=guest(), email="next@example.test")
    return SlotTaken


def held(slots: list[Slot], visit_type: VisitType) -> type[Exception]:
    """Somebody who is entering their code does not lose their time."""
    attempt(slots[4], visit_type=visit_type, holder=guest())
    return SlotTaken


def blocked(slots: list[Slot], _visit_type: VisitType) -> type[Exception]:
    Slot.objects.filter(pk=slots[4].pk).update(state="blocked")
    return SlotTaken


def busy(slots: list[Slot], _visit_type: VisitType) -> type[Exception]:
    patient = Appointment.objects.get().patient
    other = make_visit_type(doctor=make_doctor())
    (slot,) = make_slots(
        doctor=other.doctor, starts_at=slots[4].starts_at + timedelta(minutes=5), count=1
    )
    book(slot, visit_type=other, holder=as_patient(patient))
    return PatientBusy


@pytest.mark.parametrize("why", [taken, held, blocked, busy])
def test_time_that_is_not_to_be_had_changes_nothing(
    why: Callable[[list[Slot], VisitType], type[Exception]],
) -> None:
    old, visit_type, slots = booked()
    expected = why(slots, visit_type)
    before = traces()
    with pytest.raises(expected) as refusal:
        move(old, slots[4])
    if expected is PatientBusy:
        assert refusal.value.appointment == Appointment.objects.exclude(pk=old.pk).get()
    assert traces() == before


def test_refusal_names_the_next_free_times() -> None:
    old, visit_type, slots = booked()
    taken(slots, visit_type)
    with pytest.raises(SlotTaken) as refusal:
        move(old, slots[4])
    assert [time.slot_id for time in refusal.value.alternatives] == [slots[5].pk]
    assert refusal.value.starts_at == slots[4].starts_at


def test_refusal_names_times_that_overlap_the_visit_itself() -> None:
    old, _type, slots = booked(length=2)
    Slot.objects.filter(pk__in=[slots[0].pk, slots[5].pk]).update(state="blocked")
    with pytest.raises(SlotTaken) as refusal:
        move(old, slots[0])
    offered = [time.slot_id for time in refusal.value.alternatives]
    assert offered == [slots[1].pk, slots[3].pk]


def test_lapsed_hold_that_nobody_has_swept_is_in_nobodys_way() -> None:
    old, visit_type, slots = booked()
    hold = take(slots[4], visit_type=visit_type, holder=guest())
    let_expire(hold)
    new = move(old, slots[4])
    assert sweep_holds() == 1
    slots[4].refresh_from_db()
    assert (slots[4].state, slots[4].hold_id) == ("booked", new.pk)
    assert kept() == []


@pytest.mark.parametrize("of", ["another doctor", "another mode", "its own", "nowhere", "too few"])
def test_slot_that_is_no_other_time_of_this_visit_is_named_at_its_field(of: str) -> None:
    old, visit_type, slots = booked(length=2)
    if of == "another doctor":
        (slot, _next) = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=4), count=2)
    elif of == "another mode":
        other = "video" if visit_type.mode == "in_person" else "in_person"
        Slot.objects.filter(pk__in=[slots[4].pk, slots[5].pk]).update(mode=other)
        slot = slots[4]
    elif of == "nowhere":
        slot = Slot(pk=slots[-1].pk + 1000)
    else:
        slot = {"its own": slots[2], "too few": slots[5]}[of]
    before = traces()
    with pytest.raises(FieldError) as refusal:
        move(old, slot)
    assert (refusal.value.field, refusal.value.field_code) == ("slot", "unknown")
    assert is_a_sentence(refusal.value.message)
    assert traces() == before


def test_practice_is_bound_by_no_window_and_no_pause() -> None:
    """Closer than patients may book, from a visit closer than they may change, and during a
    pause.
    """
    old, _type, slots = booked(
        change_notice_minutes=7 * 24 * 60, min_notice_minutes=0, horizon_days=30
    )
    old.doctor.min_notice_minutes = 7 * 24 * 60
    old.doctor.save()
    set_pause(is_on=True, until=None, message="A storm", by=SYSTEM)
    assert move(old, slots[4]).status == "confirmed"


def test_time_that_has_begun_is_none_to_move_to() -> None:
    old, _type, slots = booked()
    before = traces()
    with pytest.raises(OutsideBookingWindow):
        move(old, slots[4], now=slots[4].starts_at)
    assert traces() == before
    move(old, slots[4], now=slots[4].starts_at - timedelta(seconds=1))


@pytest.mark.parametrize("version", [0, 2])
def test_version_that_was_not_seen_is_refused(version: int) -> None:
    old, _type, slots = booked()
    before = traces()
    with pytest.raises(VersionMismatch):
        move(old, slots[4], version=version)
    assert traces() == before


@pytest.mark.parametrize(
    "status", [each for each in AppointmentStatus if each != AppointmentStatus.CONFIRMED]
)
def test_only_what_is_confirmed_moves(status: AppointmentStatus) -> None:
    old, _type, slots = booked()
    steps = [AppointmentStatus.ARRIVED] if status == AppointmentStatus.COMPLETED else []
    for each in (*steps, status):
        Appointment.objects.filter(pk=old.pk).update(status=each, version=F("version") + 1)
    old.refresh_from_db()
    with pytest.raises(NotChangeable) as refusal:
        move(old, slots[4])
    assert refusal.value.status == status


def test_old_time_is_announced_to_those_who_wait() -> None:
    old, visit_type, slots = booked()
    make_waitlist_entry(doctor=visit_type.doctor, visit_type=visit_type)
    move(old, slots[4])
    (released,) = OutboxMessage.objects.filter(topic="slot.released")
    assert released.payload["slot_ids"] == str(slots[2].pk)


def test_statements_are_as_many_for_a_long_visit_and_each_names_its_month() -> None:
    counts = []
    for length in (1, 3):
        old, _type, slots = booked(length=length)
        by = secretary_of(old)
        with CaptureQueriesContext(connection) as queries:
            move(old, slots[3], by=by)
        statements = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
        counts.append(len(statements))
        reads = [s for s in statements if 'FROM "bookings_appointment"' in s or 'UPDATE "b' in s]
        assert reads
        assert all('"starts_at" = ' in sql for sql in reads)
    assert counts[0] == counts[1]


def test_gate_of_the_old_time_is_open(django_capture_on_commit_callbacks) -> None:
    old, _type, slots = booked()
    redis, gate = get_redis_connection("default"), f"lock:slot:{slots[2].pk}"
    redis.set(gate, key_of(as_patient(old.patient)))  # as if Redis had been away at the booking
    with django_capture_on_commit_callbacks(execute=True):
        move(old, slots[4])
    assert redis.get(gate) is None
