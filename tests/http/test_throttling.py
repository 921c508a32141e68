"""Limits count a network or a value, in a window that begins with its first request."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import RequestFactory
from django_redis import get_redis_connection

from docbook import redis
from docbook.errors import RateLimited
from docbook.http.keyed_digest import network_of
from docbook.http.limits_cache import NameOfCount
from docbook.http.throttling import count, enforce, enforce_together, give_back, limit_of
from tests.limits import allow
from tests.lost_redis import lost_redis

Counting = Callable[..., None]
SEVERAL = pytest.mark.parametrize("counting", [enforce, enforce_together])


@pytest.fixture(autouse=True)
def _three_a_minute(monkeypatch) -> None:
    allow(monkeypatch, offer=3, hold=3, codes_to=3)


def ask(address: str = "192.0.2.1", *, name: str = "offer", counting: Counting = enforce) -> None:
    counting(limit_of(name, RequestFactory().get("/", REMOTE_ADDR=address)))


@SEVERAL
def test_fourth_request_of_an_address_in_a_minute_is_refused(counting: Counting) -> None:
    for _ in range(3):
        ask(counting=counting)
    with pytest.raises(RateLimited) as refusal:
        ask(counting=counting)
    assert 1 <= refusal.value.retry_after <= 60


@SEVERAL
def test_window_begins_with_its_first_request_whatever_the_clock_says(counting: Counting) -> None:
    ask(counting=counting)
    ask(counting=counting)
    redis = get_redis_connection("default")
    (key,) = redis.keys("*rl:offer*")
    assert 50_000 < redis.pttl(key) <= 60_000
    assert redis.get(key) == b"2"


def test_what_names_a_count_does_not_name_its_window() -> None:
    """Otherwise a rush at the end of a fixed window could have twice as many."""
    request = RequestFactory().get("/")
    made = [
        NameOfCount(f"offer:3/60s{limit_of('offer', request).value}{at}".encode()) for at in "12"
    ]
    assert made[0].hexdigest() == made[1].hexdigest()


def test_counts_of_both_kinds_are_one() -> None:
    """A hold counts in one round trip what a guest's details count with django-ratelimit."""
    for counting in (enforce, enforce_together, enforce):
        ask(counting=counting)
    for counting in (enforce, enforce_together):
        with pytest.raises(RateLimited):
            ask(counting=counting)


def test_what_did_not_happen_is_given_back() -> None:
    limit = limit_of("codes-to", named="a")
    for _ in range(9):
        enforce(limit)
        give_back(limit)
    assert [count(limit) for _ in range(4)] == [False, False, False, True]


def test_of_many_at_once_no_more_than_the_limit_pass() -> None:
    limit = limit_of("codes-to", named="a")
    with ThreadPoolExecutor(12) as threads:
        used_up = list(threads.map(lambda _: count(limit), range(60)))
    assert used_up.count(False) == 3


def test_other_addresses_and_other_limits_are_not_touched() -> None:
    for _ in range(3):
        ask()
    ask("192.0.2.2")
    ask(name="hold")


def test_invented_forwarding_does_not_win_more_requests(settings) -> None:
    settings.TRUSTED_PROXIES = 1
    for number in range(4):
        forged = {"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.1"}
        request = RequestFactory().get("/", headers=forged)
        if number == 3:
            with pytest.raises(RateLimited):
                enforce(limit_of("offer", request))
        else:
            enforce(limit_of("offer", request))


def test_value_is_counted_whatever_address_it_comes_from() -> None:
    for number in range(4):
        request = RequestFactory().get("/", REMOTE_ADDR=f"192.0.2.{number}")
        assert count(limit_of("codes-to", request, named="a mailbox")) is (number == 3)


def test_refusal_names_the_limit_that_is_used_up_longest(monkeypatch) -> None:
    allow(monkeypatch, codes_to=0, hold=0)
    minute = limit_of("hold", RequestFactory().get("/"))
    with pytest.raises(RateLimited) as refusal:
        enforce_together(minute, limit_of("codes-to", named="a"), minute)
    facts = refusal.value.facts
    assert 3590 <= facts.pop("retry_after") <= 3600
    assert facts == {"limit": "codes-to", "most": 0, "seconds": 3600}


def test_what_one_limit_refuses_is_not_counted_for_those_behind_it(monkeypatch) -> None:
    allow(monkeypatch, hold=0, codes_to=1)
    first, behind = limit_of("hold", RequestFactory().get("/")), limit_of("codes-to", named="a")
    for _ in range(3):
        with pytest.raises(RateLimited):
            enforce(first, behind)
    enforce(behind)


def test_hold_and_confirm_count_all_their_limits_in_one_round_trip(monkeypatch) -> None:
    request = RequestFactory().get("/")
    run, calls = redis.run, []

    def counted(*arguments: object, **more: object) -> object:
        calls.append(arguments)
        return run(*arguments, **more)

    monkeypatch.setattr(redis, "run", counted)
    enforce_together(*(limit_of(name, request) for name in ("api-hold", "offer", "hold")))
    assert len(calls) == 1


@pytest.fixture(params=["gone", "frozen"])
def redis_lost(settings, request) -> Iterator[None]:
    with lost_redis(settings, request.param):
        yield


@SEVERAL
@pytest.mark.usefixtures("redis_lost")
def test_bookings_pass_without_redis(counting: Counting) -> None:
    for _ in range(10):
        ask(counting=counting)


@SEVERAL
@pytest.mark.usefixtures("redis_lost")
def test_mailboxes_are_counted_in_the_process_without_redis(counting: Counting) -> None:
    limit = limit_of("codes-to", named="a")
    for _ in range(3):
        counting(limit)
    with pytest.raises(RateLimited):
        counting(limit)
    give_back(limit)
    give_back(limit)
    counting(limit)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_line_with_a_whole_network_of_addresses_is_one(address: str, network: str) -> None:
    assert network_of(address) == network


def test_neighbour_in_the_same_ipv6_network_finds_the_limit_used_up() -> None:
    for number in range(3):
        ask(f"2001:db8::{number}")
    with pytest.raises(RateLimited):
        ask("2001:db8::ffff")
    ask("2001:db8:0:1::1")
