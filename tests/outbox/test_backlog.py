"""A backlog is handed out in steps that stay small."""

import pytest
from django.db import connection

from docbook.outbox import services
from docbook.outbox.models import OutboxMessage
from tests.outbox.relay import SHARED, TOPIC, URGENT, relay, tell

pytestmark = pytest.mark.django_db

PILE_UP = """
INSERT INTO outbox_outboxmessage (topic, aggregate_id, payload, created_at, attempts, handed_out,
                                  next_attempt_at, last_error)
SELECT %s, (n / 2)::text, '{}', now(), %s, 0, now(), '' FROM generate_series(0, 9999) AS n
RETURNING id
"""


def pile_up(*, attempts: int = 0) -> list[int]:
    """Five thousand objects with two messages each; the planner has no statistics of them yet."""
    with connection.cursor() as cursor:
        cursor.execute(PILE_UP, [TOPIC, attempts])
        return [row[0] for row in cursor.fetchall()]


def plan_of_a_batch(*, repeats: bool) -> str:
    with connection.cursor() as cursor:
        values = {"lease": 60, "limit": 100, "only": None, "never": [URGENT], "spread": [SHARED]}
        values["repeats"] = repeats
        cursor.execute(f"EXPLAIN {services._LEASE_BATCH}", values)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_backlog_is_passed_on_in_order_each_first_message_before_its_second() -> None:
    ids = pile_up()
    assert relay(limit=100) == ids[0:200:2]
    assert relay(limit=100) == ids[200:400:2]


def test_messages_that_fail_again_and_again_keep_no_new_one_waiting() -> None:
    failed = pile_up(attempts=30)
    new = tell("new")
    assert relay(limit=100) == [new.pk, *failed[0:20:2]]


def test_backlog_keeps_no_message_waiting_that_failed_before() -> None:
    again = tell("again")
    OutboxMessage.objects.filter(pk=again.pk).update(attempts=1)
    ids = pile_up()
    assert relay(limit=100) == [*ids[0:198:2], again.pk]


@pytest.mark.parametrize("attempts", [0, 30])
@pytest.mark.parametrize("repeats", [False, True])
def test_batch_of_a_backlog_reads_indexes_before_any_statistics_are_there(
    attempts: int, repeats: bool
) -> None:
    pile_up(attempts=attempts)
    plan = plan_of_a_batch(repeats=repeats)
    assert "outbox_waiting_in_order" in plan, plan
    assert "using outbox_order" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "Join" not in plan, plan
