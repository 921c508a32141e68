"""The audit is sealed without gaps, whatever commits when."""

import pytest
from django.db import connection, transaction

from docbook.audit.models import AuditEvent, AuditSeal
from docbook.audit.seals import BATCH, TransactionsBeganAnew, seal_events
from docbook.audit.services import SYSTEM, record
from tests.audit.chain import another_connection, sealed, verified, without_triggers, write_events
from tests.concurrency.rush import rush

pytestmark = pytest.mark.django_db(transaction=True)


def ids_of_seals() -> list[list[int]]:
    return list(AuditSeal.objects.order_by("number").values_list("event_ids", flat=True))


def sealed_ids(*, after: int = 0) -> list[int]:
    """In order, from the seals after the first `after`. Transactions of other tests on this server
    also decide how many seals the events fall into.
    """
    return [each for ids in ids_of_seals()[after:] for each in ids]


def test_every_event_is_sealed_once():
    first = write_events(3)
    sealed(first)
    second = write_events(2)
    sealed(second)
    sealed(second)
    assert sealed_ids() == [*first, *second]
    assert verified() == []


def test_nothing_to_seal_makes_no_seal():
    seal_events()
    assert not AuditSeal.objects.exists()


def test_event_of_a_transaction_that_commits_late_is_in_a_later_seal():
    """It has the lower id: a seal up to the highest id would have missed it forever."""
    with another_connection() as late:
        # Before it begins: every thirty-second nextval() gives the transaction its number, and then
        # nothing later could be sealed.
        [(early_id,)] = late.execute("SELECT nextval('audit_auditevent_id_seq')").fetchall()
        late.execute("BEGIN")
        seen = write_events(1)
        sealed(seen)
        late.execute(
            "INSERT INTO audit_auditevent (id, action, actor_kind, object_type, object_id,"
            " before, after, request_id)"
            " VALUES (%s, 'test.late', 'system', 'test', '1', '{}', '{}', '')",
            [early_id],
        )
        meanwhile = write_events(1)
        seal_events()
        assert ids_of_seals() == [seen], "a seal covers what a running transaction may still join"
        late.execute("COMMIT")
    sealed(meanwhile)
    assert early_id < seen[0]
    assert sorted(sealed_ids(after=1)) == sorted([early_id, *meanwhile])
    assert verified() == []


def test_event_of_a_transaction_that_was_rolled_back_is_missed_by_nobody():
    with another_connection() as other:
        other.execute("BEGIN")
        other.execute("SELECT nextval('audit_auditevent_id_seq'), pg_current_xact_id()")
        seen = write_events(1)
        other.execute("ROLLBACK")
    sealed(seen)
    assert verified() == []


def test_more_than_a_batch_becomes_several_seals(monkeypatch):
    monkeypatch.setattr("docbook.audit.seals.BATCH", 2)
    written = write_events(5)
    sealed(written)
    assert sealed_ids() == written
    assert max(len(ids) for ids in ids_of_seals()) == 2
    assert verified() == []


def test_transaction_larger_than_a_batch_is_sealed_whole(monkeypatch):
    monkeypatch.setattr("docbook.audit.seals.BATCH", 2)
    with transaction.atomic():
        together = write_events(5)
    alone = write_events(1)
    sealed(alone)
    assert ids_of_seals() == [together, alone]
    assert verified() == []


def test_many_sealers_make_one_chain():
    written = write_events(30)
    rush(lambda _: seal_events(), list(range(6)))
    sealed(written)
    assert sorted(sealed_ids()) == written
    assert verified() == []


def test_event_takes_the_clock_of_the_database(monkeypatch):
    with transaction.atomic():
        event = record(action="test.done", by=SYSTEM, on=("test", 1))
        with connection.cursor() as cursor:
            cursor.execute("SELECT now(), clock_timestamp(), pg_current_xact_id()::text")
            began, now, xact = cursor.fetchone()
    assert began <= event.at <= now
    assert event.xact == int(xact)


def test_server_that_counts_from_below_the_last_seal_is_not_sealed_over():
    sealed(write_events(1))
    with without_triggers():
        AuditSeal.objects.update(until=2**62)
    with pytest.raises(TransactionsBeganAnew):
        seal_events()


def test_events_from_before_there_were_seals_are_in_the_first():
    old = AuditEvent.objects.create(
        action="test.old", actor_kind="system", object_type="test", object_id="1", xact=0
    )
    sealed(write_events(1))
    assert old.pk in ids_of_seals()[0]
    assert verified() == []


def test_a_batch_is_bounded():
    assert 100 <= BATCH <= 10_000
