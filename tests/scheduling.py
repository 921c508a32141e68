"""Which worker of a parallel run gets which test.

The journeys share one running stack, so one worker runs all of them, first. Every other test goes
to the next free worker. (`--dist loadgroup` would do, but pytest 9.2 no longer sees its groups:
pytest-xdist issue 1386.)
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ON_ONE_STACK = (
    "tests/journeys/test_api_docs.py",
    "tests/journeys/test_availability_journey.py",
    "tests/journeys/test_browser_journey.py",
    "tests/journeys/test_curl_journey.py",
    "tests/journeys/test_end_of_a_hold.py",
    "tests/journeys/test_every_page.py",
    "tests/journeys/test_readme.py",
)


class JourneysTogether(LoadScopeScheduling):
    """A scope runs on one worker; the scope with most tests is given out first."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/proof/test_load.py"):
            return "load"  # which has a stack of its own
        if nodeid.startswith("tests/deployment/test_database_roles.py"):
            return "roles"  # which have a database of their own
        return "journeys" if nodeid.startswith(ON_ONE_STACK) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    return JourneysTogether(config, log) if config.getvalue("dist") == "load" else None
