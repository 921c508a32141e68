"""docs/openapi.yaml as others see it: two linters, and a program in strict TypeScript.

The tools come from npm, as devstack/description/package-lock.json names them, into .venv/npm, once
for each state of that file. A machine without npm is told so; it is no failure.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devstack.layout import ROOT, VENV

PLACE = ROOT / "devstack" / "description"
DESCRIPTION = ROOT / "docs" / "openapi.yaml"
TOOLS = VENV / "npm"
INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def main() -> int:
    if shutil.which("npm") is None or shutil.which("node") is None:
        sys.stdout.write("not run: node and npm are not installed here\n")
        return 0
    try:
        bin_folder = _tools()
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


def _tools() -> Path:
    """The folder of the programs, which are installed if they are not there yet."""
    lock = PLACE / "package-lock.json"
    state = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp, programs = TOOLS / "installed", TOOLS / "node_modules" / ".bin"
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "install.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not stamp.is_file() or stamp.read_text() != state:
            stamp.unlink(missing_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(PLACE / name, TOOLS)
            subprocess.run(INSTALL, cwd=TOOLS, check=True, capture_output=True, text=True)
            stamp.write_text(state)
    return programs


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
