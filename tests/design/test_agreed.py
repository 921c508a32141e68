"""Templates of holds and visits read the agreed values, not the tables of clinics and visit
types.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("templates/bookings", "templates/components", "bookings")
ROWS = "appointment|visit|hold|offer|attempt|ticket|replaced|previous|moved"
TABLES = re.compile(rf"\b(?:{ROWS})\.(?:clinic\.(?!phone)|visit_type\.(?!is_active|pk\b|doctor))")


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_about_a_visit_is_read_from_what_is_offered_now(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".html", ".txt", ".py"} and not {"migrations", "demo"} & set(path.parts)
        for match in TABLES.finditer(path.read_text())
    ]
    assert found == []
