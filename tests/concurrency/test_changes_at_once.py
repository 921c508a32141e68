"""Two people change one visit at one instant: one change is made, the other person is told."""

from collections import Counter
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.utils import timezone

from bookings.appointments.services.changes import cancel_appointment, mark_arrived, mark_missed
from bookings.models import Appointment
from docbook.audit.models import AuditEvent
from docbook.errors import VersionMismatch
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot
from doctors.services import claims
from tests.bookings.parties import PRACTICE, doctor_of, patient_of, secretary_of
from tests.concurrency.rush import rush
from tests.concurrency.test_lock_order import elsewhere
from tests.factories import make_appointment, make_doctor, make_slots, tomorrow_at

pytestmark = pytest.mark.django_db(transaction=True)


def a_visit() -> Appointment:
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=3), count=2)
    return make_appointment(slots=slots)


def cancel(visit: Appointment, by: object) -> str:
    done = cancel_appointment(
        appointment_id=visit.pk, by=by, version=1, now=timezone.now(), reason="ill"
    )
    return f"{done.status} {done.version} {done.changed_by_kind}"


def arrive(visit: Appointment, by: object) -> str:
    return mark_arrived(appointment_id=visit.pk, by=by, version=1, now=timezone.now()).status


def test_two_cancellations_at_once_are_one_with_the_same_answer() -> None:
    for _ in range(10):
        visit = a_visit()
        parties = [patient_of(visit), doctor_of(visit)] * 3
        answers = rush(lambda by, visit=visit: cancel(visit, by), parties)
        assert len(set(answers)) == 1, answers
        assert answers[0] in {"cancelled 2 patient", "cancelled 2 doctor"}
        assert AuditEvent.objects.filter(object_id=str(visit.pk)).count() == 1
        assert OutboxMessage.objects.filter(aggregate_id=str(visit.pk)).count() == 1
        assert set(Slot.objects.values_list("state", flat=True)) == {"open"}


def test_of_a_cancellation_and_an_arrival_at_once_one_is_made_and_one_is_told() -> None:
    ends = Counter()
    for _ in range(10):
        visit = a_visit()
        acts = [(cancel, patient_of(visit)), (arrive, secretary_of(visit))]
        answers = rush(lambda pair, visit=visit: pair[0](visit, pair[1]), acts)
        refused = [answer for answer in answers if isinstance(answer, VersionMismatch)]
        visit.refresh_from_db()
        assert len(refused) == 1, answers
        assert visit.version == 2
        slots = Slot.objects.filter(doctor=visit.doctor).values_list("state", flat=True)
        assert set(slots) == {"open" if visit.status == "cancelled" else "booked"}
        ends[visit.status] += 1
    assert set(ends) <= {"cancelled", "arrived"}


def test_without_the_lock_both_changes_would_be_made_of_one_version() -> None:
    """The negative control: read first, write later, and the second never sees the first."""

    def change(status: str, visit: Appointment) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            seen = Appointment.objects.get(pk=visit.pk, starts_at=visit.starts_at)
            barrier.wait(10)
            # Not through the trigger, which would stop the second of them.
            cursor.execute("SET LOCAL session_replication_role = replica")
            rows = Appointment.objects.filter(pk=visit.pk, starts_at=visit.starts_at)
            return rows.update(status=status, version=seen.version + 1)

    barrier, visit = Barrier(2), a_visit()
    assert rush(lambda status: change(status, visit), ["cancelled", "arrived"]) == [1, 1]
    visit.refresh_from_db()
    assert visit.version == 2


def test_caller_who_waits_for_the_slots_has_not_locked_the_visit() -> None:
    """Like a confirmation that moves it: slots first, in one order for all, then the visit."""
    visit = a_visit()
    by = patient_of(visit)
    slot_ids = list(Slot.objects.filter(hold_id=visit.pk).values_list("pk", flat=True))
    with transaction.atomic():
        claims.lock_slots(slot_ids=slot_ids)
        thread = elsewhere(lambda: cancel(visit, by))
        rows = Appointment.objects.select_for_update(nowait=True)
        assert rows.get(pk=visit.pk, starts_at=visit.starts_at).status == "confirmed"
    thread.join(10)
    visit.refresh_from_db()
    assert visit.status == "cancelled"


@pytest.mark.parametrize("who", PRACTICE)
def test_visit_that_somebody_is_marking_just_now_is_not_marked_as_missed(who: str) -> None:
    ended = timezone.now().replace(minute=0, second=0, microsecond=0)
    slots = make_slots(doctor=make_doctor(), starts_at=ended - timedelta(hours=9))
    visit = make_appointment(slots=slots)
    by = PRACTICE[who](visit)
    with transaction.atomic():
        arrive(visit, by)
        assert rush(lambda now: mark_missed(now=now), [timezone.now()]) == [0]
    visit.refresh_from_db()
    assert visit.status == "arrived"
