"""Each promise is broken once, on purpose, and exactly that one is reported."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from uuid_utils.compat import uuid7

from bookings.invariants.checks import CODES, FROM_A_HISTORY, check_invariants
from bookings.invariants.recent import Look
from bookings.models import Appointment, Hold, PatientVisit
from docbook.audit.models import AuditEvent
from docbook.audit.services import Actor, record
from docbook.http.models import IdempotencyRecord
from docbook.outbox.models import OutboxDelivery, OutboxMessage
from doctors.models import Slot
from tests.bookings.acts import book
from tests.bookings.invariants.busy import Busy, all_is_told, patient
from tests.bookings.invariants.recorded import recorded
from tests.factories import make_clinic, make_doctor, make_slots, make_visit_type

SYSTEM = Actor("system")
LONG_AGO = timedelta(hours=1)


def run(*statements: str) -> None:
    """As the owner of the tables can. Deferred checks run first."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in statements:
            cursor.execute(statement)


def without_constraint(table: str, name: str) -> None:
    run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def without_triggers(*tables: str) -> None:
    run(*(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables))


def broken(events: list | None = None, *, since: Look | None = None) -> dict[str, list[str]]:
    """What is reported, by the code of the promise."""
    return {
        each.code: [f"{one.where}: {one.what}" for one in each.finding.examples]
        for each in check_invariants(events=events, since=since)
        if each.is_broken
    }


# -- one change for each way to break a promise


def a_slot_is_held_twice(world: Busy) -> None:
    without_constraint("bookings_hold", "one_live_hold_on_a_slot")
    second = Hold.objects.get(pk=world.live.pk)
    second.pk = uuid7()
    second.save(force_insert=True)
    record(action="hold.created", by=SYSTEM, on=("hold", second.pk))


def a_slot_is_held_and_booked(world: Busy) -> None:
    hold = Hold.objects.get(pk=world.confirmed.pk)
    hold.pk, hold.state, hold.expires_at = uuid7(), "held", timezone.now() + timedelta(minutes=5)
    hold.save(force_insert=True)
    record(action="hold.created", by=SYSTEM, on=("hold", hold.pk))


def a_doctor_is_in_two_visits(world: Busy) -> None:
    without_constraint("doctors_slot", "no_overlapping_slots_of_a_doctor")
    doctor = world.visit_type.doctor
    across = world.confirmed.starts_at + timedelta(minutes=doctor.slot_minutes // 2)
    [slot] = make_slots(doctor=doctor, starts_at=across)
    book(slot, visit_type=world.visit_type, holder=patient())
    all_is_told()


def a_patient_is_in_two_places(world: Busy) -> None:
    doctor = make_doctor()
    [slot] = make_slots(doctor=doctor, starts_at=world.confirmed.starts_at)
    other = book(slot, visit_type=make_visit_type(doctor=doctor), holder=patient())
    all_is_told()
    without_triggers("bookings_appointment")
    without_constraint("bookings_patientvisit", "no_overlapping_visits_of_a_patient")
    for rows in (Appointment, Hold):
        rows.objects.filter(pk=other.pk).update(patient=world.confirmed.patient)
    time = PatientVisit.objects.filter(appointment_id=other.pk)
    time.update(patient_id=world.confirmed.patient_id)


def a_visit_is_at_another_clinic(world: Busy) -> None:
    visits(world.confirmed).update(clinic=make_clinic())


def a_visit_is_at_another_clinic_than_its_slots(world: Busy) -> None:
    Slot.objects.filter(hold_id=world.confirmed.pk).update(clinic=make_clinic())


def a_month_has_another_name(world: Busy) -> None:
    month = f"{world.imported.starts_at:%Y_%m}"
    run(f"ALTER TABLE bookings_appointment_{month} RENAME TO bookings_appointment_1999_01")


def a_booked_slot_is_open(world: Busy) -> None:
    Slot.objects.filter(hold_id=world.confirmed.pk).update(state="open", hold_id=None)


def a_held_slot_is_held_for_longer(world: Busy) -> None:
    Slot.objects.filter(hold_id=world.live.pk).update(held_until=Now() + timedelta(hours=1))


def a_released_hold_keeps_its_slot(world: Busy) -> None:
    Slot.objects.filter(pk__in=world.released.slot_ids).update(
        state="held", hold_id=world.released.pk, held_until=Now() + timedelta(minutes=5)
    )


def a_cancelled_visit_keeps_its_slot(world: Busy) -> None:
    hold = Hold.objects.get(pk=world.cancelled.pk)
    Slot.objects.filter(pk__in=hold.slot_ids).update(state="booked", hold_id=hold.pk)


def a_booked_slot_is_gone(world: Busy) -> None:
    Slot.objects.filter(hold_id=world.confirmed.pk).delete()


def a_visit_was_confirmed_by_nobody(world: Busy) -> None:
    without_triggers("audit_auditevent")
    events(world.confirmed, "appointment.confirmed").delete()


def a_visit_is_told_twice(world: Busy) -> None:
    message = OutboxMessage.objects.get(
        topic="appointment.confirmed", aggregate_id=str(world.confirmed.pk)
    )
    message.pk, message.done_at = None, None
    message.save()
    all_is_told()


def a_visit_is_told_to_nobody(world: Busy) -> None:
    OutboxMessage.objects.filter(aggregate_id=str(world.confirmed.pk)).delete()


def a_visit_is_told_that_never_was(world: Busy) -> None:
    message("appointment.reminder", about=uuid7())


def a_cancellation_is_told_of_a_visit_that_stands(world: Busy) -> None:
    message("appointment.cancelled", about=world.confirmed.pk)


def a_code_is_sent_for_no_hold(world: Busy) -> None:
    message("otp.requested", about=uuid7())


def a_visit_is_noted_that_never_was(world: Busy) -> None:
    record(action="appointment.arrived", by=SYSTEM, on=("appointment", uuid7()))


def a_hold_is_noted_that_never_was(world: Busy) -> None:
    record(action="hold.created", by=SYSTEM, on=("hold", uuid7()))


def a_message_waits(world: Busy) -> None:
    OutboxMessage.objects.filter(aggregate_id=str(world.confirmed.pk)).update(
        done_at=None, created_at=Now() - LONG_AGO, next_attempt_at=Now() - LONG_AGO
    )


def a_message_is_tried_in_vain(world: Busy) -> None:
    OutboxMessage.objects.filter(aggregate_id=str(world.confirmed.pk)).update(
        done_at=None, created_at=Now() - LONG_AGO, attempts=5, next_attempt_at=Now() + LONG_AGO
    )


def a_message_was_given_up(world: Busy) -> None:
    OutboxMessage.objects.filter(aggregate_id=str(world.confirmed.pk)).update(
        done_at=None, dead_at=Now()
    )


def a_mail_is_delivered_twice(world: Busy) -> None:
    without_constraint("outbox_outboxdelivery", "one_delivery_per_message_and_channel")
    for _ in range(2):
        OutboxDelivery.objects.create(message=OutboxMessage.objects.first(), channel="email")


def a_mail_was_never_sent(world: Busy) -> None:
    sent_of(world.confirmed).delete()


def a_change_was_never_mailed(world: Busy) -> None:
    sent_of(world.amended).filter(message__topic="appointment.updated").delete()


def a_mail_was_begun_and_not_sent(world: Busy) -> None:
    sent_of(world.cancelled).update(delivered_at=None)


def an_offer_was_settled_and_never_sent(world: Busy) -> None:
    message("waitlist.offered", about=world.live.pk)
    OutboxDelivery.objects.filter(message__topic="waitlist.offered").delete()


def a_key_has_two_answers(world: Busy) -> None:
    without_constraint("http_idempotencyrecord", "one_answer_per_user_and_idempotency_key")
    answer(key="first", status=409)


def two_keys_made_one_hold(world: Busy) -> None:
    for key in ("third", "fourth"):
        answer(key=key, status=201, facts={"hold_id": str(world.live.pk)})


def a_key_is_stuck(world: Busy) -> None:
    answer(key="third", status=None)
    IdempotencyRecord.objects.filter(key="third").update(created_at=Now() - LONG_AGO)


def a_moved_visit_names_no_other(world: Busy) -> None:
    visits(world.moved).update(replaced_by=None)


def a_moved_visit_was_not_given_up(world: Busy) -> None:
    visits(world.moved_to).update(replaces=world.confirmed.pk)
    Hold.objects.filter(pk=world.moved_to.pk).update(replaces=world.confirmed.pk)


def a_visit_had_no_code(world: Busy) -> None:
    without_triggers("audit_auditevent")
    AuditEvent.objects.filter(
        action="hold.code_requested", object_id=str(world.confirmed.pk)
    ).delete()


def a_visit_had_too_many_codes(world: Busy) -> None:
    Hold.objects.filter(pk=world.confirmed.pk).update(otp_attempts=5)


def a_visit_was_confirmed_too_late(world: Busy) -> None:
    Hold.objects.filter(pk=world.confirmed.pk).update(expires_at=Now() - LONG_AGO)


def an_offer_was_accepted_too_late(world: Busy) -> None:
    Hold.objects.filter(pk=world.offered.pk).update(expires_at=Now() - LONG_AGO)


def a_hold_is_left_standing(world: Busy) -> None:
    ended = Now() - LONG_AGO
    Hold.objects.filter(pk=world.live.pk).update(expires_at=ended)
    Slot.objects.filter(hold_id=world.live.pk).update(held_until=ended)


def a_status_was_changed_by_nobody(world: Busy) -> None:
    visits(world.confirmed).update(status="arrived", version=world.confirmed.version + 1)


def a_status_was_changed_by_somebody_who_may_not(world: Busy) -> None:
    visits(world.confirmed).update(status="arrived", version=2)
    record(
        action="appointment.arrived",
        by=Actor("patient", world.confirmed.patient_id),
        on=("appointment", world.confirmed.pk),
        before={"status": "confirmed", "version": 1},
        after={"status": "arrived", "version": 2},
    )


def what_was_agreed_was_changed_by_nobody(world: Busy) -> None:
    visits(world.amended).update(street="Elsewhere 1", version=world.amended.version + 1)


def what_was_agreed_was_changed_by_the_patient(world: Busy) -> None:
    without_triggers("audit_auditevent")
    events(world.amended, "appointment.updated").update(actor_kind="patient")


def a_status_was_skipped(world: Busy) -> None:
    without_triggers("audit_auditevent")
    events(world.cancelled, "appointment.cancelled").update(
        before={"status": "arrived", "version": 1}
    )


def a_hold_was_made_by_nobody(world: Busy) -> None:
    without_triggers("audit_auditevent")
    AuditEvent.objects.filter(action="hold.created", object_id=str(world.live.pk)).delete()


def a_hold_was_ended_by_nobody(world: Busy) -> None:
    without_triggers("audit_auditevent")
    AuditEvent.objects.filter(action="hold.released", object_id=str(world.released.pk)).delete()


def a_visits_time_is_free(world: Busy) -> None:
    PatientVisit.objects.filter(appointment_id=world.confirmed.pk).delete()


def a_cancelled_visits_time_is_taken(world: Busy) -> None:
    visit = Appointment.objects.get(pk=world.cancelled.pk)
    PatientVisit.objects.create(
        patient_id=visit.patient_id,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        appointment_id=visit.pk,
    )


VIOLATIONS: dict[str, list[Callable[[Busy], None]]] = {
    "I01": [a_slot_is_held_twice, a_slot_is_held_and_booked],
    "I02": [a_doctor_is_in_two_visits],
    "I03": [a_patient_is_in_two_places],
    "I04": [
        a_visit_is_at_another_clinic,
        a_visit_is_at_another_clinic_than_its_slots,
        a_month_has_another_name,
    ],
    "I05": [
        a_booked_slot_is_open,
        a_held_slot_is_held_for_longer,
        a_released_hold_keeps_its_slot,
        a_cancelled_visit_keeps_its_slot,
        a_booked_slot_is_gone,
    ],
    "I06": [a_visit_was_confirmed_by_nobody, a_visit_is_told_twice, a_visit_is_told_to_nobody],
    "I07": [
        a_visit_is_told_that_never_was,
        a_cancellation_is_told_of_a_visit_that_stands,
        a_code_is_sent_for_no_hold,
        a_visit_is_noted_that_never_was,
        a_hold_is_noted_that_never_was,
    ],
    "I08": [
        a_message_waits,
        a_message_is_tried_in_vain,
        a_message_was_given_up,
        a_mail_is_delivered_twice,
        a_mail_was_never_sent,
        a_change_was_never_mailed,
        a_mail_was_begun_and_not_sent,
        an_offer_was_settled_and_never_sent,
    ],
    "I09": [a_key_has_two_answers, two_keys_made_one_hold, a_key_is_stuck],
    "I13": [a_moved_visit_names_no_other, a_moved_visit_was_not_given_up],
    "I14": [
        a_visit_had_no_code,
        a_visit_had_too_many_codes,
        a_visit_was_confirmed_too_late,
        an_offer_was_accepted_too_late,
    ],
    "I15": [a_hold_is_left_standing],
    "I16": [
        a_status_was_changed_by_nobody,
        a_status_was_changed_by_somebody_who_may_not,
        what_was_agreed_was_changed_by_nobody,
        what_was_agreed_was_changed_by_the_patient,
        a_status_was_skipped,
        a_hold_was_made_by_nobody,
        a_hold_was_ended_by_nobody,
    ],
    "I17": [a_visits_time_is_free, a_cancelled_visits_time_is_taken],
}


@pytest.mark.parametrize(
    ("code", "violate"),
    [(code, violate) for code, ways in VIOLATIONS.items() for violate in ways],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
@pytest.mark.parametrize("of", ["everything", "what has changed"])
def test_exactly_the_broken_promise_is_reported(before, world, code, violate, of):
    since = before if of == "what has changed" else None
    violate(world)
    assert list(broken(since=since)) == [code]


def test_busy_database_keeps_every_promise(before, world):
    assert broken(events=recorded(world)) == {}
    assert broken(since=before) == {}
    assert broken(since=Look.here()) == {}


@pytest.mark.django_db
def test_an_empty_database_keeps_every_promise():
    assert broken(events=[]) == {}


def test_every_promise_is_broken_by_a_test():
    """The other three need a history, and are broken in test_history."""
    assert set(VIOLATIONS) | {each.code for each in FROM_A_HISTORY} == set(CODES)
    assert [f"I{number:02}" for number in range(1, 18)] == list(CODES)


def test_all_violations_are_counted_and_some_are_named(world):
    for _ in range(30):
        record(action="appointment.arrived", by=SYSTEM, on=("appointment", uuid7()))
    [finding] = [each.finding for each in check_invariants(only=["I07"])]
    assert finding.count == 30
    assert len(finding.examples) == 20


def sent_of(visit: Appointment):
    return OutboxDelivery.objects.filter(message__aggregate_id=str(visit.pk))


def visits(visit: Appointment):
    return Appointment.objects.filter(pk=visit.pk)


def events(visit: Appointment, action: str):
    return AuditEvent.objects.filter(action=action, object_id=str(visit.pk))


def message(topic: str, *, about: object) -> None:
    OutboxMessage.objects.create(topic=topic, aggregate_id=str(about), next_attempt_at=Now())
    all_is_told()


def answer(*, key: str, status: int | None, facts: dict[str, str] | None = None) -> None:
    IdempotencyRecord.objects.create(
        user_id=1, key=key, route="startBooking", fingerprint="f", status=status, facts=facts
    )
