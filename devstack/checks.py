"""`make check`: one line per tool. All of them run, and one failure fails the whole."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from devstack.console import report, say
from devstack.engines import throwaway_engines
from devstack.interrupts import Interrupts, interrupts_noted
from devstack.layout import ROOT
from devstack.refusals import Refusal

BIN = Path(sys.executable).parent
SOURCES = ("accounts", "bookings", "devstack", "docbook", "doctors", "proof", "manage.py")
SECRETS = ("SECRET_KEY", "OTP_KEYS", "JWT_KEYS", "SECOND_FACTOR_KEYS")
LONGEST_OUTPUT = 80
LINT_SETTINGS = {"DJANGO_SETTINGS_MODULE": "devstack.lint_settings"}
APPS_WITH_MIGRATIONS = ("accounts", "audit", "bookings", "doctors", "http", "outbox")
TEMPLATES = ("templates", "devstack/templates")


@dataclass(frozen=True)
class Check:
    title: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    asks_database: bool = False


def _tool(name: str, *arguments: str) -> list[str]:
    return [str(BIN / name), *arguments]


def _manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def _production() -> Mapping[str, str]:
    """Production settings with throw-away secrets, which `check --deploy` needs."""
    return {
        **{name: secrets.token_urlsafe(48) for name in SECRETS},
        "DJANGO_SETTINGS_MODULE": "docbook.settings.prod",
        "ALLOWED_HOSTS": "docbook.example.org",
        "SITE_URL": "https://docbook.example.org",
    }


def all_checks() -> Sequence[Check]:
    return (*_code(), *_django(), *_delivery())


def _code() -> Sequence[Check]:
    return (
        Check("Format", _tool("ruff", "format", "--check", "--output-format=concise", ".")),
        Check("Lint", _tool("ruff", "check", "--output-format=concise", ".")),
        Check("Types", _tool("mypy", "--no-error-summary", *SOURCES)),
        Check("Import contracts", _tool("lint-imports", "--no-logo")),
        Check("Template format", _tool("djlint", "--check", *TEMPLATES)),
        Check("Template lint", _tool("djlint", "--lint", "--quiet", *TEMPLATES)),
        Check("Careless security", _tool("bandit", "-q", "-ll", "-r", *SOURCES)),
    )


def _django() -> Sequence[Check]:
    missing = _manage("makemigrations", "--check", "--dry-run")
    options = ("--no-cache", "--ignore-initial-migrations", "--quiet", "ok", "ignore")
    unsafe = _manage("lintmigrations", *options, "--include-apps", *APPS_WITH_MIGRATIONS)
    deployment = _manage("check", "--deploy", "--fail-level=WARNING")
    return (
        Check("Functions", [sys.executable, "-m", "devstack.functions"]),
        Check("Missing migrations", missing, asks_database=True),
        Check("Unsafe migrations", unsafe, environment=LINT_SETTINGS, asks_database=True),
        Check("Deployment", deployment, environment=_production(), asks_database=True),
        Check("OpenAPI snapshot", [sys.executable, "-m", "devstack.schema"], asks_database=True),
        Check("API description", [sys.executable, "-m", "devstack.api_lint"]),
        Check("States page", [sys.executable, "-m", "devstack.states"], asks_database=True),
        Check("Concurrency page", [sys.executable, "-m", "proof.races.page"]),
    )


def _delivery() -> Sequence[Check]:
    return (
        Check("Workflows", _schema("vendor.github-workflows", ".github/workflows")),
        Check("Compose file", _schema("vendor.compose-spec", "docker-compose.yml")),
        Check("Dockerfile", _tool("hadolint", "Dockerfile")),
    )


def _schema(name: str, place: str) -> list[str]:
    path = ROOT / place
    files = sorted(map(str, path.glob("*.yml"))) if path.is_dir() else [str(path)]
    return _tool("check-jsonschema", "--quiet", "--builtin-schema", name, *files)


def run_checks(arguments: Sequence[str]) -> int:
    """Runs all checks, or the ones with the given titles; exit code 1 if one has failed."""
    chosen = _chosen(arguments)
    with ExitStack() as running:
        interrupts = running.enter_context(interrupts_noted())
        environment: Mapping[str, str] = {}
        if any(check.asks_database for check in chosen):
            engines, _ = running.enter_context(throwaway_engines(interrupts=interrupts))
            environment = engines.environment
        failed = [
            check.title
            for check in chosen
            if not _passes(check, environment=environment, interrupts=interrupts)
        ]
    say(f"\n{len(failed)} failed: {', '.join(failed)}." if failed else "\nAll checks passed.")
    return int(bool(failed))


def _chosen(titles: Sequence[str]) -> Sequence[Check]:
    checks = {check.title.casefold(): check for check in all_checks()}
    unknown = [title for title in titles if title.casefold() not in checks]
    if unknown:
        known = ", ".join(check.title for check in checks.values())
        raise Refusal(f"No check is called {', '.join(unknown)}. There are: {known}.")
    return [checks[title.casefold()] for title in titles] or list(checks.values())


def _passes(check: Check, *, environment: Mapping[str, str], interrupts: Interrupts) -> bool:
    interrupts.check()
    begun = time.monotonic()
    done = subprocess.run(
        check.command,
        cwd=ROOT,
        env={**os.environ, **environment, **check.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    interrupts.check()
    report(
        check.title, f"{'FAILED' if done.returncode else 'ok'} ({time.monotonic() - begun:.1f} s)"
    )
    if done.returncode or done.stdout.startswith("not run: "):
        say(_shortened(f"{done.stdout}{done.stderr}".strip()))
    return done.returncode == 0


def _shortened(output: str) -> str:
    lines = output.splitlines()
    kept = lines[:LONGEST_OUTPUT]
    more = len(lines) - len(kept)
    return "\n".join([*kept, *([f"... and {more} lines more"] if more else [])])
