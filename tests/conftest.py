"""Shared by all tests. Rows come from tests.factories, not from fixtures."""

import logging

import pytest
from django_redis import get_redis_connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from bookings.appointments.selectors import alternatives
from docbook.http import throttling
from docbook.http.templatetags import fixed
from docbook.notify.line import LINE
from doctors.views import home
from tests.emptying import allow_emptying
from tests.scheduling import pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]

# A slow machine must not fail a property.
hypothesis_settings.register_profile(
    "docbook", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("docbook")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        allow_emptying()


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Test databases reuse ids: gates and limits of an earlier test must be gone."""
    get_redis_connection("default").flushdb()
    throttling.forget_counts_of_this_process()


class _Fail(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage())


@pytest.fixture(autouse=True)
def _fixed_parts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with a fault in a `{% fixed %}` part looks right, but is drawn anew each time."""
    monkeypatch.setattr(fixed.logger, "handlers", [_Fail()])


@pytest.fixture(autouse=True)
def _no_line_of_another_test() -> None:
    """Each test may have a mail server of its own."""
    LINE.hang_up()


@pytest.fixture(autouse=True)
def _fresh_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal's offers, and the first page, must not be those of an earlier test."""
    alternatives._kept.clear()
    monkeypatch.setattr(home._Kept, "newest", None)
