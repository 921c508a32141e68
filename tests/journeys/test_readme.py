"""The commands that the README tells a stranger to type work."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.stack import Live

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.usefixtures("curl")
def test_commands_of_the_readme_book_a_visit_move_it_cancel_it_and_wait(live: Live) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 2, "the README has lost an example"
    commands = "\n".join(blocks).replace("http://127.0.0.1:8000", live.url)
    bash = shutil.which("bash")
    assert bash

    done = subprocess.run(
        [bash, "-c", commands], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.stderr == "", done.stdout + done.stderr
    booked, moved, cancelled, waitlist = answers(done.stdout)
    statuses = [each["status"] for each in (booked, moved, cancelled)]
    assert statuses == ["confirmed", "confirmed", "cancelled"]
    assert (moved["replaces"], cancelled["id"]) == (booked["id"], moved["id"])
    entry = waitlist["items"][-1]
    left = live.row("SELECT state FROM bookings_waitlistentry WHERE id = %s", entry["id"])
    assert (entry["status"], left["state"]) == ("waiting", "withdrawn")
    old = live.row("SELECT status FROM bookings_appointment WHERE id = %s", booked["id"])
    assert old["status"] == "rescheduled"


def answers(text: str) -> list[Any]:
    """The JSON of several answers in a row, as a terminal shows them."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        answer, end = decoder.raw_decode(text)
        found.append(answer)
        text = text[end:]
    return found
