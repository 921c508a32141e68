"""Where things are in a clone."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
DEV = ROOT / ".dev"
LOCK_FILES = tuple(
    ROOT / name for name in ("requirements.txt", "requirements-twilio.txt", "requirements-dev.txt")
)


def shown(path: Path) -> str:
    """The path as a person in the clone would type it."""
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)
