"""A long command says how far it is."""

from io import StringIO

import pytest
from django.core.management.base import OutputWrapper

from docbook.observability.progress import Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    """Half a second passes between two looks at the clock."""
    ticks = iter(range(1_000))
    monkeypatch.setattr("time.monotonic", lambda: next(ticks) / 2)


def test_a_log_gets_a_line_for_each_tenth():
    out = StringIO()
    progress = Progress(OutputWrapper(out), label="Doctors", total=1_000)
    for done in range(50, 1_001, 50):
        progress(done)
    lines = out.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("Doctors: 100 of 1,000 (")
    assert lines[-1].startswith("Doctors: 1,000 of 1,000 (")


def test_a_terminal_gets_one_bar_that_is_drawn_over_and_ended_once():
    out = Terminal()
    progress = Progress(OutputWrapper(out), label="Doctors", total=2)
    progress(1)
    progress(2)
    frames = out.getvalue().split("\r")
    assert frames[0] == ""
    assert "█░" in frames[1]
    assert frames[2].startswith("█" * 28 + " Doctors: 2 of 2 (")
    assert out.getvalue().count("\n") == 1


def test_nothing_to_do_is_no_division_by_zero():
    out = StringIO()
    Progress(OutputWrapper(out), label="Doctors", total=0)(0)
    assert out.getvalue() == ""
