"""Checks the promises repeatedly: recent changes, and everything once a night.

Redis keeps where the last look ended and what it found. Without Redis, the next look checks
everything, so nothing is missed.
"""

from datetime import datetime

import structlog
from django.core.cache import cache

from bookings.invariants.checks import check_invariants
from bookings.invariants.recent import Look, read_by_index
from docbook.lock_keys import LAST_LOOK_AT_INVARIANTS
from docbook.observability import metrics
from docbook.snapshot import one_snapshot

log = structlog.get_logger(__name__)

# At least about the last quarter of an hour; `manage.py verify_audit` recomputes them all.
SEALS_EACH_TIME = 100
# Reading five minutes of changes takes a moment. If not, the plan is wrong.
PATIENCE_WITH_CHANGES, PATIENCE_WITH_EVERYTHING = "60s", "20min"


def look_at_changes() -> None:
    """Checks what was touched since the last look. If the next look would not find all of this
    again, it begins where this one began.
    """
    since = last_look()
    if since is None:
        look_at_everything()
        return
    with one_snapshot(patience=PATIENCE_WITH_CHANGES):
        here = Look.here()
        read_by_index()
        results = check_invariants(since=since, newest_seals=SEALS_EACH_TIME)
        violations = {each.code: each.finding.count for each in results if each.finding}
        is_seen_from_here = _is_seen_again(violations, since=here)
    _publish(violations, of="changes")
    if is_seen_from_here:
        remember(here)


def _is_seen_again(violations: dict[str, int], *, since: Look) -> bool:
    """Whether a look that begins later finds them too. Every look reads messages that wait or were
    given up: one of them must not make each look longer than the one before.
    """
    broken = {code: count for code, count in violations.items() if count}
    again = check_invariants(only=broken, since=since, newest_seals=SEALS_EACH_TIME)
    return broken == {each.code: each.finding.count for each in again if each.finding}


def look_at_everything() -> None:
    """A violation stays in the metric until the next look at everything finds it mended."""
    with one_snapshot(patience=PATIENCE_WITH_EVERYTHING):
        here = Look.here()
        results = check_invariants(newest_seals=SEALS_EACH_TIME)
        violations = {each.code: each.finding.count for each in results if each.finding}
    _publish(violations, of="everything")
    remember(here)


def last_look() -> Look | None:
    kept = cache.get(LAST_LOOK_AT_INVARIANTS)
    if kept is None:
        return None
    xact, at, message, record = kept
    return Look(xact, datetime.fromisoformat(at), message, record)


def remember(look: Look) -> None:
    """The next look at changes begins here."""
    kept = [look.xact, look.at.isoformat(), look.message, look.record]
    cache.set(LAST_LOOK_AT_INVARIANTS, kept, timeout=None)


def _publish(violations: dict[str, int], *, of: metrics.LookedAt) -> None:
    metrics.publish_violations(violations, of=of)
    for code, count in violations.items():
        if count:
            log.error("invariant_broken", invariant=code, violations=count)
