"""Tests of the waitlist run at any hour of the day."""

from datetime import time

import pytest


@pytest.fixture(autouse=True)
def _no_quiet_hours(settings) -> None:
    settings.WAITLIST_QUIET_HOURS = (time(0), time(0))
