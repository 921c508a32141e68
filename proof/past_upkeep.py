"""The upkeep of past visits, which runs inside DocBook.

`python -m proof.past_upkeep seal`: seals past events batch by batch, as if that had been done when
they came. `look`: looks at the invariants of what has changed since the last look, and prints what
that took and what it found as JSON. `remember`: the next look begins here.
"""

import json
import sys
import time
from datetime import UTC, datetime

import django

django.setup()

from structlog.testing import capture_logs  # noqa: E402

from bookings.invariants import watch  # noqa: E402
from bookings.invariants.recent import Look  # noqa: E402
from docbook.audit.models import AuditEvent, AuditSeal  # noqa: E402
from docbook.audit.seals import (  # noqa: E402
    BEGINNING,
    NOTHING_BEFORE,
    digest_of_events,
    digest_of_seal,
    events_between,
)
from docbook.snapshot import one_snapshot  # noqa: E402

TRANSACTIONS_IN_A_SEAL = 30
# The transactions of past visits have numbers below zero.
END_OF_PAST = 0
# One seal stands for all that no look recomputes. If there are more events than this, they are not
# in it: a look at everything would then say so.
MOST_EVENTS_IN_A_SEAL = 100_000


def seal() -> None:
    newest = END_OF_PAST - watch.SEALS_EACH_TIME * TRANSACTIONS_IN_A_SEAL
    is_small = AuditEvent.objects.all()[:MOST_EVENTS_IN_A_SEAL].count() < MOST_EVENTS_IN_A_SEAL
    last = _seal(until=newest, is_empty=not is_small, after=None)
    for number in range(1, watch.SEALS_EACH_TIME + 1):
        last = _seal(until=newest + number * TRANSACTIONS_IN_A_SEAL, is_empty=False, after=last)


def _seal(*, until: int, is_empty: bool, after: AuditSeal | None) -> AuditSeal:
    since = after.until if after else BEGINNING
    events = [] if is_empty else events_between(since=since, until=until)
    ids, events_digest = digest_of_events(events)
    seal = AuditSeal(
        number=after.number + 1 if after else 1,
        since=since,
        until=until,
        event_ids=ids,
        events_digest=events_digest,
        previous_digest=after.digest if after else NOTHING_BEFORE,
        sealed_at=datetime.now(UTC),
    )
    seal.digest = digest_of_seal(seal)
    seal.save(force_insert=True)
    return seal


def look() -> None:
    used = time.process_time()
    with capture_logs() as lines:
        watch.look_at_changes()
    broken = [line["invariant"] for line in lines if line["event"] == "invariant_broken"]
    print(json.dumps({"cpu_seconds": time.process_time() - used, "broken": broken}))


def remember() -> None:
    with one_snapshot(patience=watch.PATIENCE_WITH_CHANGES):
        here = Look.here()
    watch.remember(here)


if __name__ == "__main__":
    {"seal": seal, "look": look, "remember": remember}[sys.argv[1]]()
