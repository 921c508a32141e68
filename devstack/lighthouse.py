"""`make lighthouse`: how fast and how light our public pages are on a phone, measured by
Lighthouse.

It visits the site that `make run` serves. Lighthouse comes from npm, as the lock file in
devstack/lighthouse_tools lists it, and uses this machine's Chromium. It estimates the times of a
slow phone on a slow line from its own measurements: close other programs.
"""

import argparse
import json
import os
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devstack import npm
from devstack.console import say
from devstack.layout import ROOT
from devstack.ports import address, answers, web_port
from devstack.refusals import Refusal
from devstack.suite import chromium

PLACE = ROOT / "devstack" / "lighthouse_tools"
# The last is the demo doctor who can sign in. A server with other doctors needs `--page`.
PAGES = ("/", "/doctors/", "/doctors/emma-visser/")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LOWEST_SCORE, MOST_KILOBYTES, MOST_REQUESTS = 95, 100, 12
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run"


@dataclass(frozen=True)
class Visit:
    """One page, visited once with an empty cache: scores of 100, milliseconds, kB and requests."""

    scores: Sequence[int]
    first_paint: float
    largest_paint: float
    kilobytes: float
    requests: int


def run(arguments: Sequence[str]) -> int:
    """Prints a line for each page; exit code 1 if one is heavier or slower than promised."""
    asked = _asked(arguments)
    _require_site(asked.url)
    programs = _programs()
    say(f"{'page':<24}{'scores':<18}{'first':>8}{'largest':>9}{'kB':>8}{'requests':>10}")
    keeps = [_judge(page, url=asked.url, runs=asked.runs, programs=programs) for page in asked.page]
    say("Scores: performance, accessibility, best practices, SEO. Paints in milliseconds.")
    return int(not all(keeps))


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make lighthouse ARGS=…", description=__doc__)
    parser.add_argument("--url", default=address(web_port()), help="the site, without a path")
    parser.add_argument("--page", nargs="+", default=PAGES, help="paths of pages")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many is told")
    return parser.parse_args(arguments)


def _programs() -> Path:
    if not npm.is_here() or chromium() is None:
        raise Refusal("Lighthouse needs node, npm and chromium (apt-get install chromium npm).")
    try:
        return npm.programs(PLACE, name="lighthouse")
    except subprocess.CalledProcessError as error:
        raise Refusal(f"npm could not install Lighthouse:\n{error.stderr[-2000:]}") from error


def _require_site(url: str) -> None:
    place = urlsplit(url)
    if not place.hostname or not answers(place.port or 443, host=place.hostname):
        raise Refusal(f"Nobody answers at {url}: start `make run` in another terminal.")


def _judge(page: str, *, url: str, runs: int, programs: Path) -> bool:
    visits = [_visit(f"{url}{page}", programs=programs) for _ in range(runs)]
    scores = [
        round(statistics.median(several))
        for several in zip(*(visit.scores for visit in visits), strict=True)
    ]
    first, largest, kilobytes, requests = (
        statistics.median(getattr(visit, name) for visit in visits)
        for name in ("first_paint", "largest_paint", "kilobytes", "requests")
    )
    told = " ".join(map(str, scores))
    say(f"{page:<24}{told:<18}{first:>8.0f}{largest:>9.0f}{kilobytes:>8.1f}{requests:>10.0f}")
    is_light = kilobytes < MOST_KILOBYTES and requests < MOST_REQUESTS
    return bool(is_light and min(scores) >= LOWEST_SCORE)


def _visit(url: str, *, programs: Path) -> Visit:
    done = subprocess.run(
        [programs / "lighthouse", url, "--output=json", "--quiet", f"--chrome-flags={FLAGS}"],
        env={**os.environ, "CHROME_PATH": str(chromium())},
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise Refusal(f"Lighthouse could not look at {url}:\n{done.stderr[-2000:]}")
    return read(json.loads(done.stdout))


def read(report: dict[str, Any]) -> Visit:
    audits = report["audits"]
    fetched = audits["network-requests"]["details"]["items"]
    return Visit(
        scores=[round(100 * report["categories"][name]["score"]) for name in CATEGORIES],
        first_paint=audits["first-contentful-paint"]["numericValue"],
        largest_paint=audits["largest-contentful-paint"]["numericValue"],
        kilobytes=sum(each["transferSize"] for each in fetched) / 1000,
        requests=len(fetched),
    )
