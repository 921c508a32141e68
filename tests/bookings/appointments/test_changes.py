"""Cancelling a visit and recording how it went: who may, until when, and what it leaves behind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_redis import get_redis_connection

from bookings.actors.holder import Holder
from bookings.appointments.services.changes import (
    cancel_appointment,
    find_changeable_appointment,
    mark_arrived,
    mark_completed,
    mark_missed,
    mark_no_show,
    undo,
)
from bookings.errors import ChangeWindowPassed, NotChangeable
from bookings.models import Appointment, Hold
from bookings.states import TRANSITIONS, AppointmentStatus
from docbook.audit.models import AuditEvent
from docbook.errors import FieldError, NotFound, NotYours, VersionMismatch
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot
from tests.bookings.acts import (
    as_patient,
    book,
    bookable,
    guest,
    hold_instead,
    key_of,
    take,
)
from tests.bookings.parties import OWN, PRACTICE, STRANGERS, doctor_of, patient_of, secretary_of
from tests.bookings.traces import traces
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_patient,
    make_slots,
    tomorrow_at,
)
from tests.sentences import is_a_sentence

pytestmark = pytest.mark.django_db

S = AppointmentStatus
Verb = Callable[..., Appointment]
VERBS: dict[Verb, AppointmentStatus] = {
    mark_arrived: S.ARRIVED,
    mark_completed: S.COMPLETED,
    mark_no_show: S.NO_SHOW,
    cancel_appointment: S.CANCELLED,
}
each_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)


def a_visit(*, days: int = 3, count: int = 1, **fields: Any) -> Appointment:
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=days), count=count)
    return make_appointment(slots=slots, **fields)


def act(verb: Verb, visit: Appointment, *, by: object, **fields: Any) -> Appointment:
    given: dict[str, Any] = {"version": visit.version, "now": timezone.now()}
    if verb is cancel_appointment:
        given["reason"] = "The doctor is ill"
    return verb(appointment_id=visit.pk, by=by, **(given | fields))


def outcome(verb: Verb, visit: Appointment, *, by: object) -> object:
    """The status afterwards, or the class of the refusal."""
    try:
        return act(verb, visit, by=by).status
    except NotFound:
        return NotFound
    except NotChangeable:
        return NotChangeable


@each_verb
@pytest.mark.parametrize("who", OWN)
@pytest.mark.parametrize("status", S, ids=lambda status: status.value)
def test_each_step_is_made_by_the_actors_that_the_states_name(
    verb: Verb, who: str, status: AppointmentStatus
) -> None:
    visit, after = a_visit(status=status), VERBS[verb]
    step = next((t for t in TRANSITIONS if (t.before, t.after) == (status, after)), None)
    expected: object = after if step and not step.is_undo else NotChangeable
    if status == after:
        expected = after
    if who == "patient" and verb is not cancel_appointment:
        expected = NotFound
    assert outcome(verb, visit, by=OWN[who](visit)) == expected
    changed = expected == after and status != after
    visit.refresh_from_db()
    assert (visit.status, visit.version) == (after if changed else status, 1 + changed)


@pytest.mark.parametrize("who", OWN)
@pytest.mark.parametrize("status", S, ids=lambda status: status.value)
def test_only_the_practice_takes_a_mark_back_and_lands_where_it_was(
    who: str, status: AppointmentStatus
) -> None:
    visit = a_visit(status=status)
    step = next((t for t in TRANSITIONS if t.is_undo and t.before == status), None)
    expected: object = step.after if step else NotChangeable
    if step and who == "patient":
        expected = NotFound
    assert outcome(undo, visit, by=OWN[who](visit)) == expected


@pytest.mark.parametrize("verb", [*VERBS, undo, find_changeable_appointment])
@pytest.mark.parametrize("who", STRANGERS)
def test_stranger_finds_no_visit_and_changes_none(verb: Verb, who: str) -> None:
    visit = a_visit()
    by = STRANGERS[who](visit)
    before = traces()
    with pytest.raises(NotFound):
        act(verb, visit, by=by)
    assert traces() == before


def test_log_says_whose_visit_a_stranger_asked_for() -> None:
    visit = a_visit()
    with pytest.raises(NotYours) as refusal:
        act(cancel_appointment, visit, by=as_patient(make_patient()))
    assert (refusal.value.object_type, refusal.value.pk) == ("appointment", visit.pk)


def test_change_of_a_visit_ends_what_was_held_for_moving_it_and_nothing_else(
    django_capture_on_commit_callbacks,
) -> None:
    visit_type, slots = bookable()
    holder = as_patient(make_patient())
    visit = book(slots[0], visit_type=visit_type, holder=holder)
    move = hold_instead(visit, slots[1])
    other = take(slots[2], visit_type=visit_type, holder=guest())
    with django_capture_on_commit_callbacks(execute=True):
        act(cancel_appointment, visit, by=holder)
    states = dict(Hold.objects.values_list("pk", "state"))
    assert (states[move.pk], states[other.pk]) == ("released", "held")


@each_verb
def test_stale_version_changes_nothing(verb: Verb) -> None:
    visit = a_visit(status=S.ARRIVED if verb is mark_completed else S.CONFIRMED)
    by = doctor_of(visit)
    before = traces()
    for version in (0, 2):
        with pytest.raises(VersionMismatch):
            act(verb, visit, by=by, version=version)
    assert traces() == before


def test_cancelled_visit_opens_its_slots_and_tells_who_when_and_why() -> None:
    visit, now = a_visit(count=3), timezone.now()
    by = doctor_of(visit)
    answer = act(cancel_appointment, visit, by=by, now=now, reason="  She is ill ")
    visit.refresh_from_db()
    assert [slot.state for slot in Slot.objects.all()] == ["open"] * 3
    assert (visit.status, visit.version, visit.changed_at) == ("cancelled", 2, now)
    assert (visit.changed_by_kind, visit.changed_by) == ("doctor", by.user.pk)
    assert visit.change_reason == answer.change_reason == "She is ill"
    assert (answer.status, answer.version) == ("cancelled", 2)
    event = AuditEvent.objects.get(action="appointment.cancelled")
    assert (event.actor_kind, event.actor_id) == ("doctor", by.user.pk)
    assert (event.object_type, event.object_id) == ("appointment", str(visit.pk))
    assert event.before == {"status": "confirmed", "version": 1}
    assert event.after == {"status": "cancelled", "version": 2}
    message = OutboxMessage.objects.get(topic="appointment.cancelled")
    assert message.payload == {"appointment_id": str(visit.pk), "version": "2"}


def test_freed_time_can_be_booked_by_the_next_patient_at_once(
    django_capture_on_commit_callbacks,
) -> None:
    visit_type, slots = bookable(slots=2, change_notice_minutes=0)
    with django_capture_on_commit_callbacks(execute=True):
        first = book(slots[0], visit_type=visit_type, holder=guest())
        act(cancel_appointment, first, by=as_patient(first.patient))
    second = book(slots[0], visit_type=visit_type, holder=guest(), email="next@example.test")
    assert second.starts_at == first.starts_at


def test_cancelling_twice_is_answered_the_same_and_written_once() -> None:
    visit = a_visit()
    by = patient_of(visit)
    first = act(cancel_appointment, visit, by=by, reason="I am better")
    before = traces()
    again = act(cancel_appointment, visit, by=by, reason="Something else")
    assert traces() == before
    assert (again.version, again.changed_at) == (first.version, first.changed_at)
    assert again.change_reason == "I am better"


@pytest.mark.parametrize("status", [S.ARRIVED, S.COMPLETED, S.NO_SHOW, S.RESCHEDULED])
def test_what_is_not_confirmed_cannot_be_cancelled(status: AppointmentStatus) -> None:
    visit = a_visit(status=status)
    with pytest.raises(NotChangeable) as refusal:
        act(cancel_appointment, visit, by=patient_of(visit))
    assert refusal.value.status == status


@pytest.mark.parametrize("who", PRACTICE)
@pytest.mark.parametrize("reason", ["", "   "])
def test_practice_cancels_only_with_a_reason(who: str, reason: str) -> None:
    visit = a_visit()
    with pytest.raises(FieldError) as refusal:
        act(cancel_appointment, visit, by=PRACTICE[who](visit), reason=reason)
    assert (refusal.value.field, refusal.value.field_code) == ("reason", "required")
    assert is_a_sentence(refusal.value.message)


def test_patient_need_not_say_why() -> None:
    visit = a_visit()
    cancelled = cancel_appointment(
        appointment_id=visit.pk, by=patient_of(visit), version=1, now=timezone.now()
    )
    assert (cancelled.status, cancelled.change_reason) == ("cancelled", "")


MINUTE = timedelta(minutes=1)
NOTICES = [0, 60, 24 * 60, 48 * 60]


@pytest.mark.parametrize("verb", [cancel_appointment, find_changeable_appointment])
@pytest.mark.parametrize("notice", NOTICES)
def test_patient_can_change_until_the_notice_to_the_minute(verb: Verb, notice: int) -> None:
    visit = a_visit()
    visit.doctor.change_notice_minutes = notice
    visit.doctor.save()
    until = visit.starts_at - timedelta(minutes=notice)
    for late in (until, until + MINUTE, visit.ends_at + MINUTE):
        with pytest.raises(ChangeWindowPassed) as refusal:
            act(verb, visit, by=patient_of(visit), now=late)
        assert refusal.value.phone == visit.clinic.phone
    act(verb, visit, by=patient_of(visit), now=until - MINUTE)


@pytest.mark.parametrize("who", PRACTICE)
def test_practice_can_cancel_at_any_time(who: str) -> None:
    visit = a_visit()
    late = visit.ends_at + timedelta(days=1)
    assert act(cancel_appointment, visit, by=PRACTICE[who](visit), now=late).status == "cancelled"


def next_last_sunday_of_march() -> datetime:
    """The next night when Amsterdam loses an hour: 03:00 summer time is 01:00 UTC."""
    year = timezone.now().year + 1
    day = datetime(year, 3, 31, 1, tzinfo=UTC)
    return day - timedelta(days=(day.weekday() + 1) % 7)


def test_a_day_before_is_24_hours_also_across_the_night_that_is_shorter() -> None:
    clinic = make_clinic(time_zone="Europe/Amsterdam")
    doctor = make_doctor(clinic=clinic, change_notice_minutes=24 * 60)
    at_nine = next_last_sunday_of_march() + timedelta(hours=6)  # 09:00 by the clinic's clock
    visit = make_appointment(slots=make_slots(doctor=doctor, starts_at=at_nine))
    on_the_wall = (at_nine - timedelta(hours=24)).astimezone(clinic.zone)
    assert (at_nine.astimezone(clinic.zone).hour, on_the_wall.hour) == (9, 8)
    by = patient_of(visit)
    with pytest.raises(ChangeWindowPassed):
        act(cancel_appointment, visit, by=by, now=on_the_wall)
    act(cancel_appointment, visit, by=by, now=on_the_wall - MINUTE)


def test_slots_that_have_begun_stay_booked() -> None:
    begun = timezone.now() - timedelta(minutes=30)
    slots = make_slots(doctor=make_doctor(), starts_at=begun, count=3)
    visit = make_appointment(slots=slots)
    act(cancel_appointment, visit, by=doctor_of(visit))
    states = Slot.objects.order_by("starts_at").values_list("state", "hold_id")
    assert list(states) == [("booked", visit.pk), ("booked", visit.pk), ("open", None)]


def test_slots_that_went_to_somebody_else_are_left_alone() -> None:
    visit = a_visit()
    hold = Hold.objects.get(pk=visit.pk)
    other = a_visit(days=5)
    Slot.objects.filter(pk__in=hold.slot_ids).update(hold_id=other.pk)
    act(cancel_appointment, visit, by=doctor_of(visit))
    assert set(Slot.objects.values_list("state", flat=True)) == {"booked"}


def test_gate_of_a_cancelled_visit_is_open(django_capture_on_commit_callbacks) -> None:
    visit_type, slots = bookable(change_notice_minutes=0)
    holder = as_patient(make_patient())
    visit = book(slots[0], visit_type=visit_type, holder=holder)
    redis = get_redis_connection("default")
    # As if Redis had been away at the booking.
    redis.set(f"lock:slot:{slots[0].pk}", key_of(holder))
    with django_capture_on_commit_callbacks(execute=True):
        act(cancel_appointment, visit, by=holder)
    assert redis.get(f"lock:slot:{slots[0].pk}") is None
    take(slots[0], visit_type=visit_type, holder=guest())


def test_guest_who_has_just_booked_can_cancel_in_the_same_browser() -> None:
    visit_type, slots = bookable(change_notice_minutes=0)
    holder = guest()
    visit = book(slots[0], visit_type=visit_type, holder=holder)
    assert act(cancel_appointment, visit, by=holder).changed_by_kind == "guest"


def test_hold_that_never_became_a_visit_cannot_be_cancelled() -> None:
    visit_type, slots = bookable()
    patient = make_patient()
    hold = take(slots[0], visit_type=visit_type, holder=as_patient(patient))
    with pytest.raises(NotFound):
        cancel_appointment(
            appointment_id=hold.pk, by=as_patient(patient), version=1, now=timezone.now()
        )


def test_reason_stands_in_no_audit_and_no_message() -> None:
    visit = a_visit()
    act(cancel_appointment, visit, by=doctor_of(visit), reason="Pneumonoultramicroscopic")
    for rows in (AuditEvent.objects.values(), OutboxMessage.objects.values()):
        assert "pneumono" not in str(list(rows)).lower()


def test_each_mark_is_the_next_version_with_its_line_in_the_audit() -> None:
    visit = a_visit()
    by = secretary_of(visit)
    for verb in (mark_no_show, undo, mark_arrived, mark_completed, undo, mark_completed):
        visit = act(verb, visit, by=by)
    assert (visit.status, visit.version, visit.change_reason) == ("completed", 7, "")
    trail = AuditEvent.objects.order_by("id").values_list("action", "actor_kind", "before", "after")
    assert [action for action, *_ in trail] == [
        "appointment.no_show",
        "appointment.undone",
        "appointment.arrived",
        "appointment.completed",
        "appointment.undone",
        "appointment.completed",
    ]
    assert {kind for _action, kind, *_ in trail} == {"secretary"}
    assert [after["version"] for *_, after in trail] == [2, 3, 4, 5, 6, 7]
    assert [before["version"] for *_, before, _after in trail] == [1, 2, 3, 4, 5, 6]
    assert not OutboxMessage.objects.exists()


def test_arriving_twice_is_answered_the_same() -> None:
    visit = a_visit()
    act(mark_arrived, visit, by=doctor_of(visit))
    before = traces()
    assert act(mark_arrived, visit, by=doctor_of(visit)).version == 2
    assert traces() == before


# -- missed


def over_since(hours: float, **fields: Any) -> Appointment:
    ends_at = timezone.now() - timedelta(hours=hours)
    doctor = make_doctor()
    starts_at = ends_at - timedelta(minutes=doctor.slot_minutes)
    return make_appointment(slots=make_slots(doctor=doctor, starts_at=starts_at), **fields)


def test_visit_that_nobody_has_marked_is_missed_after_four_hours() -> None:
    missed, too_early = over_since(4.01), over_since(3.99)
    assert mark_missed(now=timezone.now()) == 1
    missed.refresh_from_db()
    too_early.refresh_from_db()
    assert (missed.status, missed.version, missed.changed_by_kind) == ("no_show", 2, "system")
    assert (too_early.status, too_early.version) == ("confirmed", 1)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_kind) == ("appointment.no_show", "system")
    assert mark_missed(now=timezone.now()) == 0


@pytest.mark.parametrize("status", [each for each in S if each != S.CONFIRMED])
def test_visit_of_which_somebody_has_said_something_is_not_missed(status) -> None:
    over_since(5, status=status)
    assert mark_missed(now=timezone.now()) == 0


def test_missed_by_mistake_stays_taken_back() -> None:
    visit, now = over_since(5), timezone.now()
    mark_missed(now=now)
    visit.refresh_from_db()
    act(undo, visit, by=secretary_of(visit), now=now)
    assert mark_missed(now=now + timedelta(hours=3)) == 0
    assert mark_missed(now=now + timedelta(hours=4)) == 1


def test_missed_visits_are_marked_a_batch_at_a_time_the_oldest_first() -> None:
    visits = [over_since(hours) for hours in (6, 8, 7)]
    now = timezone.now()
    assert [mark_missed(now=now, limit=2) for _ in range(3)] == [2, 1, 0]
    assert AuditEvent.objects.first().object_id == str(visits[0].pk)


def test_what_is_long_past_is_left_as_it_is() -> None:
    over_since(32 * 24)
    assert mark_missed(now=timezone.now()) == 0


def test_missed_visits_are_found_by_the_index_of_confirmed_ones() -> None:
    over_since(5)
    with connection.cursor() as cursor:
        # An empty table is read as a whole, whatever indexes it has.
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as queries:
        mark_missed(now=timezone.now())
    (search,) = [q["sql"] for q in queries if q["sql"].startswith("SELECT")]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {search}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "_confirmed" in plan, plan
    assert "Seq Scan" not in plan, plan


# -- what it costs


def test_cancelling_takes_eight_statements_however_long_the_visit() -> None:
    counts = []
    for count in (1, 6):
        visit = a_visit(count=count, patient=make_patient())
        with CaptureQueriesContext(connection) as queries:
            act(cancel_appointment, visit, by=patient_of(visit))
        counts.append([q["sql"].split()[0] for q in queries if "SAVEPOINT" not in q["sql"]])
    assert counts[0] == counts[1]
    assert len(counts[0]) == 8


@pytest.mark.parametrize("verb", [cancel_appointment, find_changeable_appointment])
def test_each_statement_names_the_month_it_looks_into(verb: Verb) -> None:
    visit = a_visit()
    with CaptureQueriesContext(connection) as queries:
        act(verb, visit, by=patient_of(visit))
    touching = [q["sql"] for q in queries if "bookings_appointment" in q["sql"]]
    assert touching
    assert all('"starts_at" = ' in sql for sql in touching)


def test_holder_of_both_kinds_is_the_patient() -> None:
    visit = a_visit()
    both = Holder(patient=visit.patient, guest_key=guest().guest_key)
    assert act(cancel_appointment, visit, by=both).changed_by_kind == "patient"
