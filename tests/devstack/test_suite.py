import os
import subprocess
import sys

import pytest

from devstack import suite
from devstack.layout import ROOT
from devstack.refusals import Refusal
from tests.devstack.running import ENGINE_VARIABLES


def with_engines(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devstack.commands", "with-engines", "--", *command],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in ENGINE_VARIABLES},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_gets_the_addresses_and_its_exit_code_is_passed_on():
    show = "import os; print(*(os.environ[n].split(':')[0] for n in ('DATABASE_URL', 'REDIS_URL')))"

    done = with_engines("python", "-c", f"{show}; raise SystemExit(7)")

    assert (done.returncode, done.stdout, done.stderr) == (7, "postgresql redis\n", "")


def test_without_a_command_there_is_one_sentence():
    with pytest.raises(Refusal, match="Say what to run"):
        suite.run_with_engines(["--"])


def test_a_missing_browser_is_said_with_the_way_to_get_one(monkeypatch):
    monkeypatch.setattr(suite.shutil, "which", lambda _name: None)

    (sentence,) = suite._what_cannot_run()

    assert "browser tests" in sentence
    assert "apt-get install chromium" in sentence


def test_any_of_the_usual_browsers_will_do(monkeypatch):
    found = {"google-chrome": "/opt/google/chrome"}
    monkeypatch.setattr(suite.shutil, "which", found.get)

    assert suite.chromium() == "/opt/google/chrome"
    assert not list(suite._what_cannot_run())
