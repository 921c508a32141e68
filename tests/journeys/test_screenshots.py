"""`make screenshots` takes its pictures and leaves nothing behind."""

from pathlib import Path

from devstack import screenshots
from tests.journeys.stack import PATIENT, Live

LIVE_HOLDS = """
    SELECT h.id FROM bookings_hold h JOIN accounts_user u ON u.id = h.patient_id
    WHERE u.email = %s AND h.state = 'held'
"""


def test_pictures_are_taken_and_the_held_time_is_given_back(live: Live, tmp_path: Path) -> None:
    pages = ["details", "desk", "admin"]
    answer = screenshots.run(["--url", live.url, "--folder", str(tmp_path), "--page", *pages])
    assert answer == 0
    taken = sorted(picture.name for picture in tmp_path.iterdir())
    assert taken == sorted(f"{page}-{each}.webp" for page in pages for each in screenshots.SCREENS)
    assert all(picture.read_bytes()[8:12] == b"WEBP" for picture in tmp_path.iterdir())
    assert live.rows(LIVE_HOLDS, PATIENT) == []
