import pytest

from devstack.interrupts import Interrupts
from devstack.outside import DATABASE, MAIL, REDIS, Outside
from devstack.ports import free_port
from devstack.refusals import Refusal

URLS = {
    DATABASE: "postgresql://docbook:hidden@127.0.0.1:{port}/docbook",
    REDIS: "redis://:hidden@127.0.0.1:{port}/0",
    MAIL: "smtp://user:hidden@127.0.0.1:{port}",
}


@pytest.mark.parametrize("server", URLS, ids=lambda server: server.label)
def test_an_outside_server_that_does_not_answer_is_named_without_its_password(
    server: Outside, monkeypatch, capsys
):
    port = free_port()
    monkeypatch.setenv(server.variable, URLS[server].format(port=port))

    with pytest.raises(Refusal) as caught:
        server.wait(interrupts=Interrupts(), patience=0.2)

    said = f"{capsys.readouterr().out}{caught.value}"
    assert f"127.0.0.1:{port} ({server.variable})" in said
    assert "does not answer" in said
    assert f"Unset {server.variable}" in said
    assert "hidden" not in said


def test_an_empty_variable_means_embedded(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "")

    assert not REDIS.is_given()
