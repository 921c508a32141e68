import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime

import pytest

from devstack import clock, suite
from devstack.clock import clock_at
from devstack.layout import ROOT
from devstack.refusals import Refusal
from tests.devstack.running import ENGINE_VARIABLES

CLOCKS = """
import os, time, psycopg, redis
database = psycopg.connect(os.environ["DATABASE_URL"])
print(time.time())
print(database.execute("SELECT extract(epoch FROM now())").fetchone()[0])
print(redis.Redis.from_url(os.environ["REDIS_URL"]).time()[0])
"""
TIME_OUT = """
import os, psycopg
database = psycopg.connect(os.environ["DATABASE_URL"], options="-c statement_timeout=100")
database.execute("SELECT pg_sleep(60)")
"""


def with_engines(
    *command: str, moment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "devstack.commands", "with-engines", "--", *command],
        cwd=ROOT,
        env={n: v for n, v in os.environ.items() if n not in ENGINE_VARIABLES} | dict(moment or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_gets_the_addresses_and_its_exit_code_is_passed_on():
    show = "import os; print(*(os.environ[n].split(':')[0] for n in ('DATABASE_URL', 'REDIS_URL')))"

    done = with_engines("python", "-c", f"{show}; raise SystemExit(7)")

    assert (done.returncode, done.stdout, done.stderr) == (7, "postgresql redis\n", "")


def test_every_process_of_a_run_sees_the_moment_that_was_asked_for():
    asked = "2027-10-31 00:10"

    with clock_at(asked) as moment:
        done = with_engines("python", "-c", CLOCKS, moment=moment)

    assert done.returncode == 0, done.stderr
    began = datetime.fromisoformat(f"{asked}+00:00").timestamp()
    assert all(0 <= float(seen) - began < 600 for seen in done.stdout.split())


def test_time_outs_of_the_database_end_a_wait_at_another_moment():
    with clock_at("2027-10-31 00:10") as moment:
        done = with_engines("python", "-c", TIME_OUT, moment=moment)

    assert "QueryCanceled" in done.stderr


def test_what_is_no_moment_is_refused_with_the_way_to_write_one():
    with pytest.raises(Refusal, match="write it like"), clock_at("tomorrow at nine"):
        pass


def test_a_missing_compiler_is_said_with_the_way_to_get_one(monkeypatch):
    monkeypatch.setattr(clock.shutil, "which", lambda _name: None)

    with pytest.raises(Refusal, match="apt-get install gcc"), clock_at("2027-10-31 00:10"):
        pass


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
