"""A backlog is handed out in steps that stay small."""

import pytest
from django.db import connection

from docbook.outbox import services
from tests.outbox.relay import SHARED, TOPIC, URGENT, relay

pytestmark = pytest.mark.django_db

PILE_UP = """
INSERT INTO outbox_outboxmessage (topic, aggregate_id, payload, created_at, attempts, handed_out,
                                  next_attempt_at, last_error)
SELECT %s, (n / 2)::text, '{}', now(), 0, 0, now(), '' FROM generate_series(0, 9999) AS n
RETURNING id
"""


def pile_up() -> list[int]:
    """Five thousand objects with two messages each; the planner has no statistics of them yet."""
    with connection.cursor() as cursor:
        cursor.execute(PILE_UP, [TOPIC])
        return [row[0] for row in cursor.fetchall()]


def plan_of_a_batch() -> str:
    with connection.cursor() as cursor:
        values = {"lease": 60, "limit": 100, "only": None, "never": [URGENT], "spread": [SHARED]}
        cursor.execute(f"EXPLAIN {services._LEASE_BATCH}", values)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_backlog_is_passed_on_in_order_each_first_message_before_its_second() -> None:
    ids = pile_up()
    assert relay(limit=100) == ids[0:200:2]
    assert relay(limit=100) == ids[200:400:2]


def test_batch_of_a_backlog_reads_indexes_before_any_statistics_are_there() -> None:
    pile_up()
    plan = plan_of_a_batch()
    assert "outbox_waiting_in_order" in plan, plan
    assert "using outbox_order" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "Join" not in plan, plan
