"""Only the filters of clinic_time write times and days: they know clocks and years."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILTERS = ROOT / "doctors/templatetags/clinic_time.py"
# A weekday, and the format of an id or address, are the same in every year.
HARMLESS = {"D", "l", "Y-m-d"}
# A month in the head of a list or a calendar always has its year; a word for the zone has none.
WITH_YEAR = {"F Y"}


def templates() -> list[Path]:
    return sorted(path for path in (ROOT / "templates").rglob("*.*") if path.is_file())


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_formats_no_day_by_itself(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    patterns = re.findall(r"""\|date:["']([^"']+)["']""", text)
    unzoned = ["T"] if path.name == "paused.html" else []
    assert set(patterns) <= HARMLESS | WITH_YEAR | set(unzoned)


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_formats_no_time_by_itself(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    # Daily hours are no instants: no clock shows them twice.
    assert set(re.findall(r"(\S+?)\|time:", text)) <= {"start=writing_hours.0"}


@pytest.mark.parametrize("app", ["accounts", "bookings", "doctors", "docbook"])
def test_code_formats_no_time_by_itself(app: str) -> None:
    for path in sorted((ROOT / app).rglob("*.py")):
        if path == FILTERS:
            continue
        for call in re.findall(r"(?:date|time)_format\((.*)\)", path.read_text(encoding="utf-8")):
            assert '"F Y"' in call, f"{path}: {call}"
