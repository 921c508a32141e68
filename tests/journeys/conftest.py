"""Shared by the journeys: the running product, and a browser to use it with."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from devstack.suite import CHROMIUMS, chromium
from tests.journeys.stack import Live, running_stack

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One worker starts it for all tests that use it: see tests.scheduling."""
    with running_stack(tmp_path_factory.mktemp("live")) as stack:
        yield stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each module: while it is open, Django thinks this thread is asynchronous."""
    executable = chromium()
    if executable is None:
        pytest.skip(f"no browser: none of {', '.join(CHROMIUMS)} is installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=FLAGS.split())
        yield started
        started.close()


@pytest.fixture(scope="session")
def curl() -> str:
    path = shutil.which("curl")
    if path is None:
        pytest.skip("no curl on this machine")
    return path
