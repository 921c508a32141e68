"""Audit, outbox and idempotency records."""

from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from docbook.audit.models import AuditEvent, AuditSeal
from docbook.http.models import IdempotencyRecord
from docbook.outbox.models import OutboxDelivery, OutboxMessage
from docbook.outbox.services import asleep
from tests.concurrency.rush import rush
from tests.constraints.registry import BROKEN, breaks
from tests.emptying import NEVER_EMPTIED, refuse_emptying


def make_event() -> AuditEvent:
    return AuditEvent.objects.create(
        action="appointment.confirmed", actor_kind="system", object_type="hold", object_id="1"
    )


def make_message(**fields) -> OutboxMessage:
    return OutboxMessage.objects.create(
        topic="otp.requested", aggregate_id="1", next_attempt_at=timezone.now(), **fields
    )


def make_record() -> IdempotencyRecord:
    return IdempotencyRecord.objects.create(user_id=1, key="k", route="r", fingerprint="f")


@breaks("audit_events_are_append_only")
def test_an_audit_event_is_never_changed():
    make_event()
    AuditEvent.objects.update(action="nothing.happened")


@breaks("audit_events_are_append_only")
def test_an_audit_event_is_never_deleted():
    make_event()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")


def make_seal(**fields) -> AuditSeal:
    defaults = {
        "number": 1,
        "since": 1,
        "until": 2,
        "event_ids": [1],
        "events_digest": "a" * 64,
        "previous_digest": "0" * 64,
        "digest": "b" * 64,
        "sealed_at": timezone.now(),
    }
    return AuditSeal.objects.create(**(defaults | fields))


@breaks("audit_seals_are_append_only")
def test_a_seal_is_never_changed():
    make_seal()
    AuditSeal.objects.update(digest="c" * 64)


@breaks("audit_seals_are_append_only")
def test_a_seal_is_never_deleted():
    make_seal()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditseal")


@breaks("audit_events_are_never_emptied")
def test_audit_events_are_never_emptied():
    refuse_emptying()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditevent")


@breaks("audit_seals_are_never_emptied")
def test_seals_are_never_emptied():
    refuse_emptying()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditseal CASCADE")


@pytest.mark.django_db
def test_database_without_tests_refuses_from_its_first_migration_on():
    """Only tests switch these triggers off: no migration leaves them so."""
    migration = import_module("docbook.audit.migrations.0004_never_emptied")
    with connection.cursor() as cursor:
        cursor.execute(migration.DROP)
        cursor.execute(migration.NEVER_EMPTIED)
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgname = ANY (%s)",
            [[*NEVER_EMPTIED]],
        )
        assert dict(cursor.fetchall()) == dict.fromkeys(NEVER_EMPTIED, "O")


@breaks("one_seal_follows_another")
def test_the_chain_of_seals_does_not_fork():
    make_seal()
    make_seal(number=2)


@breaks("seal_covers_at_least_a_transaction")
def test_a_seal_of_nothing_is_refused():
    make_seal(until=1)


@breaks("outbox_message_is_not_both_done_and_dead")
def test_a_message_is_done_or_dead_and_never_both():
    make_message(done_at=timezone.now(), dead_at=timezone.now())


@breaks("refused_message_is_done")
def test_a_refused_message_is_done():
    make_message(is_refused=True)


@breaks("one_message_per_fact_that_is_told_once")
def test_a_fact_that_is_told_once_has_one_message():
    make_message(once="reminder-1")
    make_message(once="reminder-1")


@breaks("one_delivery_per_message_and_channel")
def test_a_message_goes_out_once_by_a_channel():
    message = make_message()
    for _ in range(2):
        OutboxDelivery.objects.create(message=message, channel="email")


@breaks("what_was_delivered_has_a_copy")
def test_what_was_delivered_has_a_copy():
    OutboxDelivery.objects.create(
        message=make_message(), channel="email", copies=0, delivered_at=timezone.now()
    )


@breaks("one_answer_per_user_and_idempotency_key")
def test_a_user_has_one_answer_for_a_key():
    make_record()
    make_record()


BROKEN["outbox_insert_wakes_the_relay"] = "test_a_new_message_wakes_the_relay"


@pytest.mark.django_db(transaction=True)
def test_a_new_message_wakes_the_relay():
    """This trigger refuses nothing. Its effect shows once the transaction commits."""
    with asleep():
        rush(lambda _one: make_message(), [1])
        heard = connection.connection.notifies(timeout=60, stop_after=1)
        assert [notify.channel for notify in heard] == ["outbox"]
