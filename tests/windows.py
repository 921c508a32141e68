"""The windows in which limits are counted."""

import time
from types import SimpleNamespace

import pytest
from django_ratelimit import core


def stay_in_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, no window ends between two requests of a test."""
    now = time.time()
    monkeypatch.setattr(core, "time", SimpleNamespace(time=lambda: now))
