"""`make test`, and any other command, on its own engines."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from devstack.clock import clock_of
from devstack.console import report
from devstack.engines import throwaway_engines
from devstack.interrupts import interrupts_noted
from devstack.processes import Program, Speaks
from devstack.refusals import Refusal

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


def run_tests(arguments: Sequence[str]) -> int:
    """Runs pytest in parallel and returns its exit code; further arguments are pytest's.

    A first argument like `--at=2027-10-31 00:10` sets the moment (UTC) for the tests.
    """
    for sentence in _what_cannot_run():
        report("Cannot run", sentence)
    with clock_of(arguments) as others:
        return _run_pytest(others)


def write_journeys(_arguments: Sequence[str]) -> int:
    """Makes the test that compares the walks in CONTRIBUTING.md write them."""
    os.environ["WRITE_JOURNEYS"] = "1"
    return _run_pytest(["-q", "-n0", "tests/design/test_journeys.py"])


def _run_pytest(arguments: Sequence[str]) -> int:
    return _run(
        [sys.executable, "-m", "pytest", "-n", "auto", *arguments],
        environment={
            "DJANGO_SETTINGS_MODULE": "docbook.settings.test",
            "MIGRATION_DATABASE_URL": "",  # tests migrate the databases that they make themselves
            "STATIC_ROOT": "",  # what `make run` has collected may be of another state
        },
    )


def run_with_engines(arguments: Sequence[str]) -> int:
    """Runs `-- COMMAND …` with DATABASE_URL, REDIS_URL and EMAIL_URL set; returns its exit code."""
    command = list(arguments[1:] if arguments[:1] == ["--"] else arguments)
    if not command:
        raise Refusal("Say what to run: python3 -m devstack with-engines -- COMMAND")
    return _run(command)


def run_proof(arguments: Sequence[str]) -> int:
    """Becomes the proof, which starts its own durable engines."""
    os.execv(sys.executable, [sys.executable, "-m", "proof", *arguments])  # noqa: S606


def run_bench(arguments: Sequence[str]) -> int:
    """Becomes the benchmark, on its own durable engines."""
    os.execv(sys.executable, [sys.executable, "-m", "proof.bench", *arguments])  # noqa: S606


def run_mutation(arguments: Sequence[str]) -> int:
    """Becomes the mutation run, on two of each engine."""
    os.execv(sys.executable, [sys.executable, "-m", "proof.mutation", *arguments])  # noqa: S606


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def _what_cannot_run() -> Iterator[str]:
    if chromium() is None:
        yield (
            f"browser tests: none of {', '.join(CHROMIUMS)} is installed "
            "(Debian and Ubuntu: apt-get install chromium)"
        )


def _run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> int:
    with (
        interrupts_noted() as interrupts,
        throwaway_engines(interrupts=interrupts) as (engines, workshop),
    ):
        program = Program(
            name="command",
            command=[*command],
            environment={**engines.environment, **_path(), **(environment or {})},
            folder=Path.cwd(),
            speaks=Speaks.TERMINAL,
        )
        return workshop.run(program)


def _path() -> Mapping[str, str]:
    """Commands of the virtualenv can be called by their bare names."""
    folder = str(Path(sys.executable).parent)
    return {"PATH": os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])}
