"""Checks only what has changed since another look, however much data there is.

The queries of the promises stay the same. Before them come common table expressions with the names
of the big tables. There each query finds the touched rows and the rows that belong to them: the
visits it could collide with, those it has moved from and to, their holds, events and messages. The
expression for slots is `touched_slot`, for queries that would read all of them. Other queries need
the index of the table.

Only a look at everything finds changes made by hand without a trace. The same is true for visits
that collide if one of them keeps more than SLACK free after its end.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

# The clocks of the web processes make the ids.
CLOCKS_DIFFER = timedelta(minutes=10)
SLACK = timedelta(hours=4)

# The clock is read after the snapshot: everything later has newer ids as well.
_HERE = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, clock_timestamp(),
    (SELECT coalesce(max(id), 0) FROM outbox_outboxmessage),
    (SELECT coalesce(max(id), 0) FROM http_idempotencyrecord)
"""

# Inside, the names are still those of the tables. A visit is read by id and start; the start
# selects the month. OFFSET 0 makes the planner look up each row by its index: it expects millions
# of touched rows, and would read the whole table to join them at once. The limit is more than are
# touched between two looks. Without it the planner expects billions, and its hash tables for so
# many take minutes to make.
TOUCHED = """
WITH touched AS MATERIALIZED (
    WITH RECURSIVE changed (id) AS (
        SELECT id FROM bookings_hold WHERE id >= %(newer_than)s
        UNION SELECT id FROM bookings_hold WHERE state = 'held'
        UNION SELECT id FROM bookings_appointment WHERE id >= %(newer_than)s
        UNION SELECT object_id::uuid FROM audit_auditevent
        WHERE xact >= %(xact)s AND object_type IN ('hold', 'appointment')
        UNION SELECT aggregate_id::uuid FROM outbox_outboxmessage
        WHERE (id > %(message)s OR coalesce(done_at, dead_at) IS NULL)
          AND (topic LIKE 'appointment.%%' OR topic IN ('otp.requested', 'waitlist.offered'))
    ), beside (id) AS (
        SELECT other.id FROM changed
        CROSS JOIN LATERAL (SELECT * FROM bookings_hold WHERE id = changed.id OFFSET 0) AS hold
        JOIN bookings_appointment AS other
            ON (other.doctor_id = hold.doctor_id OR other.patient_id = hold.patient_id)
            AND other.starts_at > hold.starts_at - interval '1 day'
            AND other.starts_at < hold.ends_at + %(slack)s::interval
            AND other.ends_at > hold.starts_at - %(slack)s::interval
        WHERE other.status = ANY(%(active)s)
    ), chain (id) AS (
        SELECT id FROM changed UNION SELECT id FROM beside
        UNION SELECT other FROM chain
            CROSS JOIN LATERAL (SELECT * FROM bookings_hold WHERE id = chain.id OFFSET 0) AS hold
            LEFT JOIN LATERAL (
                SELECT replaced_by FROM bookings_appointment
                WHERE id = hold.id AND starts_at = hold.starts_at OFFSET 0) AS visit ON true,
            unnest(ARRAY[hold.replaces, visit.replaced_by]) AS other
        WHERE other IS NOT NULL
    )
    SELECT id FROM chain LIMIT 1000000
), bookings_hold AS MATERIALIZED (
    SELECT hold.* FROM touched
    CROSS JOIN LATERAL (SELECT * FROM bookings_hold WHERE id = touched.id OFFSET 0) AS hold
), bookings_appointment AS MATERIALIZED (
    SELECT visit.* FROM bookings_hold AS hold CROSS JOIN LATERAL (
        SELECT tableoid, * FROM bookings_appointment
        WHERE id = hold.id AND starts_at = hold.starts_at OFFSET 0) AS visit
    UNION
    SELECT visit.tableoid, visit.* FROM bookings_appointment AS visit
    WHERE visit.id >= %(newer_than)s
), audit_auditevent AS MATERIALIZED (
    SELECT event.* FROM touched CROSS JOIN LATERAL (
        SELECT * FROM audit_auditevent
        WHERE object_type IN ('hold', 'appointment') AND object_id = touched.id::text OFFSET 0
    ) AS event
), outbox_outboxmessage AS MATERIALIZED (
    SELECT * FROM outbox_outboxmessage WHERE id > %(message)s
    UNION SELECT * FROM outbox_outboxmessage WHERE coalesce(done_at, dead_at) IS NULL
    UNION SELECT * FROM outbox_outboxmessage WHERE dead_at IS NOT NULL
), outbox_outboxdelivery AS MATERIALIZED (
    SELECT delivery.* FROM outbox_outboxmessage AS message CROSS JOIN LATERAL (
        SELECT * FROM outbox_outboxdelivery WHERE message_id = message.id OFFSET 0) AS delivery
), http_idempotencyrecord AS MATERIALIZED (
    SELECT * FROM http_idempotencyrecord WHERE id > %(record)s
), touched_slot AS MATERIALIZED (
    SELECT slot.* FROM (
        SELECT DISTINCT unnest(slot_ids) AS id FROM bookings_hold) AS its
    CROSS JOIN LATERAL (SELECT * FROM doctors_slot WHERE id = its.id OFFSET 0) AS slot
)
"""


EVERYTHING = """
WITH touched_slot AS NOT MATERIALIZED (SELECT * FROM doctors_slot)
"""


@dataclass(frozen=True)
class Look:
    """The state at a look: the oldest running transaction, the database's time, and the
    newest ids.
    """

    xact: int
    at: datetime
    message: int
    record: int

    @classmethod
    def here(cls) -> "Look":
        """A look with the snapshot of the current transaction."""
        with connection.cursor() as cursor:
            cursor.execute(_HERE)
            return cls(*cursor.fetchone())

    def words(self) -> dict[str, Any]:
        """Its values, under the names that the queries use."""
        return {**asdict(self), "newer_than": _first_id(self.at - CLOCKS_DIFFER), "slack": SLACK}


def read_by_index() -> None:
    """For the rest of the transaction. The planner does not know how few rows were touched; a scan
    would read the whole table.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


def _first_id(moment: datetime) -> UUID:
    """No UUIDv7 of this millisecond is smaller; RFC 9562, 5.7."""
    since = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return UUID(int=since << 80 | 7 << 76)
