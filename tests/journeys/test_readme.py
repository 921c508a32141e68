"""What the README tells a stranger to type works when it is typed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.journeys.stack import Live

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.usefixtures("curl")
def test_commands_of_the_readme_end_in_a_confirmed_booking(live: Live) -> None:
    block = re.search(r"```bash\n(.*?)```", README.read_text(), re.DOTALL)
    assert block, "the README has lost its example"
    commands = block.group(1).replace("http://127.0.0.1:8000", live.url)
    bash = shutil.which("bash")
    assert bash

    done = subprocess.run(
        [bash, "-c", commands], capture_output=True, text=True, timeout=60, check=False
    )

    assert '"status":"confirmed"' in done.stdout, done.stdout + done.stderr
