"""Checks docs/openapi.yaml from outside: two linters, and a program in strict TypeScript.

The tools come from npm, as devstack/description/package-lock.json lists them, and go into
.venv/npm. Without npm there is a note, but no failure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devstack import npm
from devstack.layout import ROOT, VENV

PLACE = ROOT / "devstack" / "description"
DESCRIPTION = ROOT / "docs" / "openapi.yaml"
TOOLS = VENV / "npm"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def main() -> int:
    if not npm.is_here():
        sys.stdout.write("not run: node and npm are not installed here\n")
        return 0
    try:
        bin_folder = npm.programs(PLACE, name=TOOLS.name)
    except subprocess.CalledProcessError as error:
        sys.stdout.write(f"not run: npm could not install the tools\n{error.stderr[-2000:]}\n")
        return 0
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        work = Path(folder)
        for name in ("client.ts", "tsconfig.json"):
            shutil.copy(PLACE / name, work)
        redocly = ("redocly", "lint", f"--config={PLACE / 'redocly.yaml'}", "--max-problems=50")
        ruleset = PLACE / ".spectral.yaml"
        spectral = ("spectral", "lint", f"--ruleset={ruleset}", "--fail-severity=warn", "--quiet")
        commands = (
            (*redocly, str(DESCRIPTION)),
            (*spectral, str(DESCRIPTION)),
            ("openapi-typescript", str(DESCRIPTION), "--output", str(work / "api.d.ts")),
            ("tsc", "--project", str(work)),
        )
        return max(_run(bin_folder, command) for command in commands)


def _run(bin_folder: Path, command: tuple[str, ...]) -> int:
    program = str(bin_folder / command[0])
    done = subprocess.run(
        [program, *command[1:]],
        cwd=TOOLS,
        env={**os.environ, **QUIET},
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        sys.stdout.write(f"{done.stdout}{done.stderr}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
