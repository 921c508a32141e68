"""A client that writes X-Forwarded-For cannot choose the address that limits count."""

import pytest
from django.test import RequestFactory

from docbook.http.addresses import client_address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, None, "192.0.2.9"),
        (0, "203.0.113.1", "192.0.2.9"),
        (1, None, "192.0.2.9"),
        (1, "", "192.0.2.9"),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "198.51.100.66, 203.0.113.1", "203.0.113.1"),
        (1, "198.51.100.66,203.0.113.1 ", "203.0.113.1"),
        (1, "198.51.100.66, ", "192.0.2.9"),
        (2, "203.0.113.1", "192.0.2.9"),
        (2, "203.0.113.1, 10.0.0.1", "203.0.113.1"),
        (2, "198.51.100.66, 203.0.113.1, 10.0.0.1", "203.0.113.1"),
    ],
)
def test_address_is_the_one_that_our_outermost_proxy_saw(
    settings, proxies: int, forwarded: str | None, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.9", headers=headers)
    assert client_address(request) == address
