"""Numbers for Prometheus.

One process makes them and another reads them: the worker checks the invariants, and any web process
may be asked. So they are in Redis and are lost with it; then `docbook_redis_up` is 0.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from django_redis import get_redis_connection
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

LookedAt = Literal["changes", "everything"]
_VIOLATIONS: dict[LookedAt, str] = {
    "changes": "metrics:invariant_violations:changes",
    "everything": "metrics:invariant_violations",
}
_CHECKED_AT = "metrics:invariants_checked_at"
_GATES = "metrics:gates_without_hold"

# Counted where they happen, in `count:<name>_total`.
_COUNTERS = {
    "booking_lock_conflicts": "Requests for a time that somebody else was just taking.",
    "docbook_sign_ins_failed": "Sign-ins that were refused, by any door.",
    "docbook_strangers_refused": "Requests for what is somebody else's.",
    "docbook_mails_refused": "Messages that a mailbox refused for good; many mean a block list.",
    "docbook_passed_without_redis": "Requests let through because Redis did not answer.",
}


def publish_violations(violations: Mapping[str, int], *, of: LookedAt) -> None:
    """How often each invariant is broken now. Without Redis this is lost until the next time.

    The larger of the two numbers is shown: a check of changes misses older faults.
    """
    try:
        redis = get_redis_connection("default")
        with redis.pipeline() as pipeline:
            pipeline.delete(_VIOLATIONS[of])
            pipeline.hset(_VIOLATIONS[of], mapping=dict(violations))
            pipeline.set(_CHECKED_AT, time.time())
            pipeline.execute()
    except RedisError:
        return


def publish_gates_without_hold(number: int) -> None:
    """How many there were at this check. Without Redis there are no gates, and nowhere to
    publish.
    """
    try:
        get_redis_connection("default").set(_GATES, number)
    except RedisError:
        return


def count(name: str) -> None:
    """Adds one to a counter listed above. Without Redis it is lost."""
    try:
        get_redis_connection("default").incr(f"count:{name}_total")
    except RedisError:
        return


def exposition() -> bytes:
    """All numbers, in Prometheus's text format."""
    return generate_latest(_registry)


class _FromRedis(Collector):
    """Reads everything again each time it is asked."""

    def collect(self) -> Iterable[Metric]:
        try:
            found = list(_read())
        except RedisError:
            found = []
        yield GaugeMetricFamily("docbook_redis_up", "Whether Redis answers.", value=bool(found))
        yield from found


def _read() -> Iterable[Metric]:
    redis = get_redis_connection("default")
    for name, what in _COUNTERS.items():
        value = int(redis.get(f"count:{name}_total") or 0)
        yield CounterMetricFamily(name, what, value=value)
    violations = GaugeMetricFamily(
        "docbook_invariant_violations", "How often an invariant is broken.", labels=["invariant"]
    )
    for code, count in sorted(_largest(redis).items()):
        violations.add_metric([code], count)
    yield violations
    if (gates := redis.get(_GATES)) is not None:
        what = "Gates that were closed at the last check although nobody held the time."
        yield GaugeMetricFamily("docbook_gates_without_hold", what, value=int(gates))
    if checked_at := redis.get(_CHECKED_AT):
        what = "When the invariants were last checked, in seconds since 1970."
        yield GaugeMetricFamily("docbook_invariants_checked_at", what, value=float(checked_at))


def _largest(redis: Any) -> dict[str, int]:
    largest: dict[str, int] = {}
    for key in _VIOLATIONS.values():
        for code, count in redis.hgetall(key).items():
            largest[code.decode()] = max(int(count), largest.get(code.decode(), 0))
    return largest


_registry = CollectorRegistry()
_registry.register(_FromRedis())
