"""`make clean`: removes what the tools and `make run` left behind; the virtualenv stays."""

import shutil
from collections.abc import Sequence

from devstack.console import report
from devstack.data_lock import sole_use_of
from devstack.layout import DEV, ROOT, shown
from devstack.records import stop_recorded

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache", ".hypothesis")


def clean(_arguments: Sequence[str]) -> int:
    if DEV.exists():
        with sole_use_of(DEV, holder="make clean"):
            stop_recorded(DEV / "run")
            shutil.rmtree(DEV)
    for path in [DEV, *(ROOT / name for name in CACHES)]:
        shutil.rmtree(path, ignore_errors=True)
        report("Removed", shown(path))
    return 0
