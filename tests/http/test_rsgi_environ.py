"""The request as the server hands it on."""

from types import SimpleNamespace
from typing import Any

import pytest

from docbook.http.keyed_digest import network_of
from docbook.rsgi import environ_of


def scope(client: str) -> Any:
    return SimpleNamespace(
        client=client,
        server="127.0.0.1:8000",
        method="GET",
        path="/",
        query_string="",
        http_version="1.1",
        scheme="http",
        headers={},
    )


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("[2001:db8::1]:5000", "2001:db8::/64"),
        ("[2001:db8::ffff:1]:5000", "2001:db8::/64"),
        ("192.0.2.7:5000", "192.0.2.7"),
    ],
)
def test_addresses_of_one_line_count_as_one_network(client: str, network: str) -> None:
    assert network_of(environ_of(scope(client))["REMOTE_ADDR"]) == network
