"""Counts what `docbook.http.rate_policies` limits, with django-ratelimit in Redis.

Holding and confirming a time count all their limits in one round trip, and give back what did not
happen. django-ratelimit can do neither. All share the same counts. While Redis does not answer,
bookings continue uncounted. Each process then counts the limits that protect accounts and
mailboxes.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.core.cache import caches
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from docbook import redis
from docbook.errors import RateLimited
from docbook.http.limits_cache import END
from docbook.http.process_windows import ProcessWindows
from docbook.http.rate_policies import POLICIES, Policy, WithoutRedis
from docbook.lock_keys import LIMIT

# Returns how long to wait for each of them, in milliseconds, or 0.
_COUNT = """
local waits = {}
for i, key in ipairs(KEYS) do
    local most, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local count = redis.call('INCR', key)
    if count == 1 then redis.call('EXPIRE', key, window) end
    waits[i] = count > most and redis.call('PTTL', key) or 0
end
return waits
"""

_GIVE_BACK = """
for _, key in ipairs(KEYS) do
    if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
end
return 0
"""

_windows = ProcessWindows()


@dataclass(frozen=True)
class Limit:
    """A policy applied to one of the things it counts."""

    name: str
    counts_for: str

    @property
    def policy(self) -> Policy:
        return POLICIES[self.name]

    @property
    def value(self) -> str:
        return f":{self.counts_for}{END}"

    @property
    def key(self) -> str:
        """The same key that django-ratelimit makes with our settings, relative to the cache."""
        most, seconds = self.policy.rate
        return f"{LIMIT}{self.name}:{most}/{seconds}s:{self.counts_for}"


def limit_of(name: str, request: HttpRequest | None = None, *, named: str = "") -> Limit:
    """Made from the request, or from what it names; see the policy."""
    return Limit(name, POLICIES[name].key(request, named))


def limits_of(name: str, request: HttpRequest) -> list[Limit]:
    """Of the caller's network, and of callers themselves if they are signed in."""
    names = [name] if request.user.pk is None else [name, f"{name}-user"]
    return [limit_of(each, request) for each in names]


def enforce(*limits: Limit) -> None:
    """Counts this request for one limit after the other. Raises RateLimited.

    When one limit refuses, the limits after it are not counted. A guesser who is stopped by the
    limit of their network must not use up the limit of all strangers.
    """
    for limit in limits:
        _refuse((limit,), [_wait(limit)])


def enforce_together(*limits: Limit) -> None:
    """The same in one round trip, where every millisecond counts."""
    _refuse(limits, _waits_together(limits))


def count(*limits: Limit) -> bool:
    """Counts this request for all limits; returns whether one of them is used up."""
    waits = [_wait(limit) for limit in limits]
    return any(waits)


def give_back(*limits: Limit) -> None:
    """Gives back counts for something that did not happen."""
    keys = [_full_key(limit) for limit in limits]
    if redis.run(_GIVE_BACK, keys=keys, arguments=[]) is None:
        _windows.give_back(limit.key for limit in limits)


def forget_counts_of_this_process() -> None:
    """For tests, where one process stands for many."""
    _windows.forget()


def _refuse(limits: tuple[Limit, ...], waits: list[int]) -> None:
    wait, limit = max(zip(waits, limits, strict=True), key=lambda pair: pair[0])
    if wait:
        most, seconds = limit.policy.rate
        raise RateLimited(
            retry_after=-(-wait // 1000), limit=limit.name, most=most, seconds=seconds
        )


def _wait(limit: Limit) -> int:
    """In milliseconds, or 0."""
    usage = redis.ask(
        lambda: get_usage(
            None,
            group=f"{limit.name}:",
            key=lambda _group, _request: limit.value,
            rate=limit.policy.rate,
            increment=True,
        )
    )
    if usage is None:
        return _wait_here(limit)
    if not usage["should_limit"]:
        return 0
    # django-ratelimit's own answer assumes a window that begins at a fixed time.
    cache: Any = caches["limits"]
    left: int | None = redis.ask(lambda: cache.pttl(limit.key))
    return left or 1000


def _waits_together(limits: tuple[Limit, ...]) -> list[int]:
    arguments = [number for limit in limits for number in limit.policy.rate]
    keys = [_full_key(limit) for limit in limits]
    waits: list[int] | None = redis.run(_COUNT, keys=keys, arguments=arguments)
    return [_wait_here(limit) for limit in limits] if waits is None else waits


def _wait_here(limit: Limit) -> int:
    if limit.policy.without_redis is WithoutRedis.PASSES:
        return 0
    most, seconds = limit.policy.rate
    return _windows.count(limit.key, most=most, milliseconds=seconds * 1000)


def _full_key(limit: Limit) -> str:
    return _before_each_key() + limit.key


@cache
def _before_each_key() -> str:
    """What the cache adds to a key that is kept in Redis."""
    return str(caches["limits"].make_key(""))
