"""A browser's first visit fetches little, in few requests."""

import re
from collections import Counter

import pytest
from playwright.sync_api import Browser

from tests.journeys.stack import Live
from tests.journeys.visitor import doctor_of_the_demo, visiting

MOST_REQUESTS, MOST_BYTES = 12, 100_000


@pytest.mark.parametrize("page", ["home", "results", "doctor"])
def test_public_page_is_light_for_somebody_who_comes_for_the_first_time(
    live: Live, browser: Browser, page: str
) -> None:
    path = {"home": "/", "results": "/doctors/", "doctor": doctor_of_the_demo(live)}[page]
    urls: dict[str, str] = {}
    weights: Counter[str] = Counter()
    with visiting(browser, live, viewport={"width": 412, "height": 823}) as visitor:
        network = visitor.page.context.new_cdp_session(visitor.page)
        network.send("Network.enable")
        network.on("Network.responseReceived", lambda event: note(event, urls))
        network.on("Network.loadingFinished", lambda event: weigh(event, urls, weights))
        visitor.go(path)
        visitor.page.wait_for_load_state("networkidle")
    assert 5 < len(weights) < MOST_REQUESTS, weights
    assert sum(weights.values()) < MOST_BYTES, weights
    named_by_content = [url for url in weights if re.search(r"\.[0-9a-f]{12}\.", url)]
    assert len(named_by_content) == len(weights) - 1


def note(event: dict, urls: dict[str, str]) -> None:
    urls[event["requestId"]] = event["response"]["url"]


def weigh(event: dict, urls: dict[str, str], weights: Counter[str]) -> None:
    """Headers and body as transferred. A date field's own icon is a data: address."""
    url = urls[event["requestId"]]
    if not url.startswith("data:"):
        weights[url] += event["encodedDataLength"]
