"""What a load balancer asks."""

import pytest
from django.db import OperationalError
from django.test import Client

from docbook.http import health


@pytest.fixture(autouse=True)
def _unknown(monkeypatch) -> None:
    """As in a process that has just started."""
    monkeypatch.setattr(health._Migrations, "complete", False)


def test_process_is_healthy_without_asking_the_database() -> None:
    response = Client().get("/healthz")
    assert response.status_code == 200


@pytest.mark.django_db
def test_process_is_ready_once_the_database_is_migrated() -> None:
    for _ in range(2):
        assert Client().get("/readyz").json() == {"status": "ready"}


@pytest.mark.django_db
def test_process_is_not_ready_while_a_migration_is_missing(monkeypatch) -> None:
    missing = [("bookings.0099", False)]
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: missing)
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert response.json()["problem"] == "migrations are missing"


@pytest.mark.django_db
def test_process_is_not_ready_while_the_database_is_gone(monkeypatch) -> None:
    def gone() -> bool:
        raise OperationalError("host=secret")

    monkeypatch.setattr(health._Migrations, "are_complete", gone)
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert "secret" not in response.content.decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nobody_posts_to_health(path: str) -> None:
    assert Client().post(path).status_code == 405


def test_probe_may_ask_by_an_address_that_is_no_host_of_ours() -> None:
    assert Client().get("/healthz", headers={"Host": "10.1.2.3"}).status_code == 200
