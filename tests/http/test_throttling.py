"""Limits are counted for an address or a value, for a window, and not at all without Redis."""

import pytest
from django.conf import settings as current
from django.test import RequestFactory

from devstack.ports import LOOPBACK, free_port
from docbook.errors import RateLimited
from docbook.http.throttling import limit_by_address, limit_by_value, network_of


def ask(address: str = "192.0.2.1", *, group: str = "hold") -> None:
    limit_by_address(RequestFactory().get("/", REMOTE_ADDR=address), group=group, rate="3/m")


def test_fourth_request_of_an_address_in_a_minute_is_refused() -> None:
    for _ in range(3):
        ask()
    with pytest.raises(RateLimited) as refusal:
        ask()
    assert 1 <= refusal.value.retry_after <= 60


def test_other_addresses_and_other_limits_are_not_touched() -> None:
    for _ in range(3):
        ask()
    ask("192.0.2.2")
    ask(group="code")


def test_invented_forwarding_does_not_win_more_requests(settings) -> None:
    settings.TRUSTED_PROXIES = 1
    for number in range(4):
        forged = {"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.1"}
        request = RequestFactory().get("/", headers=forged)
        if number == 3:
            with pytest.raises(RateLimited):
                limit_by_address(request, group="hold", rate="3/m")
        else:
            limit_by_address(request, group="hold", rate="3/m")


def test_value_is_counted_whatever_address_it_comes_from() -> None:
    for number in range(4):
        if number == 3:
            with pytest.raises(RateLimited):
                limit_by_value(group="sign-in", rate="3/m", value="a@example.test")
        else:
            limit_by_value(group="sign-in", rate="3/m", value="a@example.test")


def test_everything_passes_while_redis_is_gone(settings) -> None:
    url = f"redis://{LOOPBACK}:{free_port()}/0"
    settings.CACHES = {"default": current.CACHES["default"] | {"LOCATION": url}}
    for _ in range(10):
        ask()


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
