"""Files that are made from the code and kept next to it, so their changes are seen."""

import difflib
from pathlib import Path

from devstack.console import say
from devstack.layout import shown


def compare(*, path: Path, made: str, advice: str) -> int:
    """Exit code 1, and the difference, if the file is not what would be made now."""
    before = path.read_text() if path.exists() else ""
    difference = list(
        difflib.unified_diff(
            before.splitlines(), made.splitlines(), shown(path), "made anew", lineterm=""
        )
    )
    if difference:
        say("\n".join(difference[:60]))
        say(advice)
    return int(bool(difference))
