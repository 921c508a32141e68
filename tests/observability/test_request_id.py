"""The id of a request is the proxy's, or ours, and never a stranger's."""

import pytest

from docbook.observability import request_id

GIVEN = "00000000-aaaa-bbbb-cccc-000000000000"


def ask(client) -> str:
    return client.get("/healthz", headers={request_id.HEADER: GIVEN}).headers[request_id.HEADER]


@pytest.mark.django_db
def test_id_of_a_proxy_is_kept(client, settings):
    settings.TRUSTED_PROXIES = 1
    assert ask(client) == GIVEN


@pytest.mark.django_db
def test_id_of_anybody_is_not_taken_where_no_proxy_stands_in_front(client, settings):
    settings.TRUSTED_PROXIES = 0
    assert ask(client) not in {"", GIVEN}
