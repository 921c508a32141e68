"""Holds that led to nothing say who wanted to see which doctor, and why: they are not kept."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.engine.services import release_hold, sweep_holds
from bookings.models import Appointment, Hold, PatientVisit
from bookings.tasks import purge_holds, send_code
from bookings.upkeep.retention import (
    KEEP_ENDED_HOLDS,
    KEEP_PAST_TIMES,
    purge_ended_holds,
    purge_past_times,
)
from docbook import batches
from docbook.audit.models import AuditEvent
from docbook.outbox.models import OutboxMessage
from tests.bookings.acts import ask_for_code, attempt, book, bookable, guest, let_expire, take

pytestmark = pytest.mark.django_db


def purge_after(time: timedelta) -> int:
    return purge_ended_holds(now=timezone.now() + time)


AFTER_A_WEEK = KEEP_ENDED_HOLDS + timedelta(minutes=10)


def test_hold_that_was_given_back_goes_after_a_week_and_its_audit_stays():
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    release_hold(hold_id=hold.pk, holder=holder)
    assert purge_after(KEEP_ENDED_HOLDS - timedelta(minutes=10)) == 0
    assert purge_after(AFTER_A_WEEK) == 1
    assert not Hold.objects.exists()
    assert AuditEvent.objects.filter(action="hold.released", object_id=str(hold.pk)).exists()


def test_hold_that_ran_out_goes_after_a_week():
    visit_type, slots = bookable()
    let_expire(take(slots[0], visit_type=visit_type, holder=guest()))
    sweep_holds()
    assert purge_after(AFTER_A_WEEK) == 1


def test_time_of_a_visit_goes_a_week_after_it_and_the_visit_stays():
    visit_type, slots = bookable()
    visit = book(slots[0], visit_type=visit_type, holder=guest())
    assert purge_past_times(now=visit.ends_at + KEEP_PAST_TIMES) == 0
    assert purge_past_times(now=visit.ends_at + KEEP_PAST_TIMES + timedelta(minutes=1)) == 1
    assert not PatientVisit.objects.exists()
    assert Appointment.objects.exists()


def test_hold_that_became_a_visit_stays():
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=guest())
    assert purge_after(timedelta(days=1000)) == 0


def test_hold_that_is_held_stays_until_the_sweeper_has_opened_its_slots():
    visit_type, slots = bookable()
    take(slots[0], visit_type=visit_type, holder=guest())
    assert purge_after(timedelta(days=1000)) == 0


def test_large_heap_is_deleted_batch_by_batch(monkeypatch):
    visit_type, slots = bookable(count=5)
    for slot in slots:
        let_expire(take(slot, visit_type=visit_type, holder=guest()))
    sweep_holds()
    monkeypatch.setattr(batches, "BATCH", 2)
    with CaptureQueriesContext(connection) as asked:
        assert purge_after(AFTER_A_WEEK) == 5
    deletions = [each for each in asked if each["sql"].startswith('DELETE FROM "bookings_hold"')]
    assert len(deletions) == 3


def test_task_of_the_night_looks_at_the_clock_itself():
    visit_type, slots = bookable()
    let_expire(take(slots[0], visit_type=visit_type, holder=guest()))
    sweep_holds()
    purge_holds()
    assert Hold.objects.count() == 1
    Hold.objects.update(expires_at=timezone.now() - AFTER_A_WEEK)
    purge_holds()
    assert not Hold.objects.exists()


def test_code_of_a_hold_that_is_gone_is_sent_to_nobody(mailoutbox):
    visit_type, slots = bookable()
    holder = guest()
    hold = ask_for_code(take(slots[0], visit_type=visit_type, holder=holder), holder=holder)
    Hold.objects.filter(pk=hold.pk).delete()
    message = OutboxMessage.objects.get(topic="otp.requested")
    send_code([message.pk, message.handed_out])
    message.refresh_from_db()
    assert message.done_at is not None
    assert mailoutbox == []
