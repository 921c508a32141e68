"""`make screenshots`: pictures of the main pages for `docs/screenshots/`, from the site that
`make run` serves.

Each page is taken in light, in dark and on a phone, by this machine's Chromium, at a fixed size and
without motion. One time is held for the picture of the details, and given back.
"""

import argparse
import base64
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from devstack.console import say
from devstack.layout import ROOT, shown
from devstack.ports import address, answers, web_port
from devstack.refusals import Refusal
from devstack.suite import chromium

FOLDER = ROOT / "docs" / "screenshots"
LOGIN, PASSWORD = "{}@demo.docbook.test", "docbook-demo"
MOST_BYTES = 4_000_000
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
    "--force-color-profile=srgb --font-render-hinting=none --disable-lcd-text"
)
SCREENS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
EVERYWHERE: dict[str, Any] = {
    "locale": "en-GB",
    "timezone_id": "Europe/Amsterdam",
    "reduced_motion": "reduce",
    "bypass_csp": True,  # our policy refuses the style below, too
}
# A cursor that blinks is there or not.
STILL = "*, ::before, ::after { caret-color: transparent !important; }"


def _nothing(_page: Page) -> None:
    pass


@dataclass(frozen=True)
class Shot:
    """A page, and who looks at it: the name of a demo login, or nobody who has signed in.

    `before` acts on the open page until it is worth a picture, and `after` puts things back.
    """

    name: str
    path: str
    who: str = ""
    before: Callable[[Page], None] = _nothing
    after: Callable[[Page], None] = _nothing


def _holds_a_time(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"\d\d:\d\d to \d\d:\d\d, Dr ")).first.click()
    page.wait_for_url("**/book/**")


def _gives_it_back(page: Page) -> None:
    """By the form that the page has for those who change their mind."""
    page.locator("form[action$='/release/'] button").first.click()
    page.wait_for_url("**/doctors/**")


def _searches_a_caller(page: Page) -> None:
    page.get_by_label("Who is calling?").first.press_sequentially("sanne")
    page.locator("[name=caller]:not([value=new])").first.wait_for()


SHOTS = (
    Shot("home", "/"),
    Shot("results", "/doctors/?specialty=dermatology&city=Utrecht"),
    Shot("doctor", "/doctors/tunde-okafor/"),
    Shot("details", "/doctors/tunde-okafor/", "patient", _holds_a_time, _gives_it_back),
    Shot("visits", "/appointments/", "patient"),
    Shot("day", "/schedule/", "secretary"),
    Shot("week", "/schedule/?view=week", "secretary"),
    Shot("month", "/schedule/?view=month", "secretary"),
    Shot("availability", "/schedule/availability/", "secretary"),
    Shot("numbers", "/schedule/numbers/", "secretary"),
    Shot("desk", "/schedule/desk/", "secretary", _searches_a_caller),
    Shot("admin", "/admin/bookings/appointment/", "admin"),
)


def run(arguments: Sequence[str]) -> int:
    """Writes the pictures and says how large they are; exit code 1 if they are too large."""
    asked = _asked(arguments)
    _require_site(asked.url)
    asked.folder.mkdir(parents=True, exist_ok=True)
    with _browser() as browser:
        camera = _Camera(browser, url=asked.url, folder=asked.folder)
        sizes = [camera.take(shot) for shot in SHOTS if not asked.page or shot.name in asked.page]
    total = sum(sizes)
    say(f"{total / 1000:.0f} kB in {shown(asked.folder)}.")
    return int(total > MOST_BYTES)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make screenshots ARGS=…", description=__doc__)
    parser.add_argument("--url", default=address(web_port()), help="the site, without a path")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    names = [shot.name for shot in SHOTS]
    parser.add_argument("--page", nargs="+", choices=names, help="only these pages")
    return parser.parse_args(arguments)


def _require_site(url: str) -> None:
    place = urlsplit(url)
    if not place.hostname or not answers(place.port or 443, host=place.hostname):
        raise Refusal(f"Nobody answers at {url}: start `make run` in another terminal.")


@contextmanager
def _browser() -> Iterator[Browser]:
    executable = chromium()
    if executable is None:
        raise Refusal("Pictures need chromium (apt-get install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS.split())
        try:
            yield browser
        finally:
            browser.close()


class _Camera:
    """Takes pages on every screen. Everybody signs in once."""

    def __init__(self, browser: Browser, *, url: str, folder: Path) -> None:
        self._browser, self._url, self._folder = browser, url, folder
        self._signed_in: dict[str, Any] = {}

    def take(self, shot: Shot) -> int:
        """The number of bytes, of all screens together."""
        return sum(self._take(shot, screen=screen) for screen in SCREENS)

    def _take(self, shot: Shot, *, screen: str) -> int:
        with self._window(shot.who, **SCREENS[screen]) as context:
            page = context.new_page()
            page.goto(f"{self._url}{shot.path}")
            shot.before(page)
            picture = _picture_of(page)
            shot.after(page)
        name = f"{shot.name}-{screen}.webp"
        (self._folder / name).write_bytes(picture)
        say(f"{name:<28}{len(picture) / 1000:>6.0f} kB")
        return len(picture)

    @contextmanager
    def _window(self, who: str, **screen: Any) -> Iterator[BrowserContext]:
        if who and who not in self._signed_in:
            self._signed_in[who] = self._sign_in(who)
        cookies = self._signed_in.get(who)
        with self._browser.new_context(**EVERYWHERE, **screen, storage_state=cookies) as context:
            yield context

    def _sign_in(self, who: str) -> Any:
        with self._browser.new_context(**EVERYWHERE) as context:
            page = context.new_page()
            page.goto(f"{self._url}/accounts/login/?next=/accounts/email/")
            page.get_by_label("E-mail").first.fill(LOGIN.format(who))
            page.get_by_label("Password").first.fill(PASSWORD)
            page.get_by_role("main").get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/accounts/email/")
            return context.storage_state()


def _picture_of(page: Page) -> bytes:
    """WebP, which only the browser's own protocol writes."""
    page.wait_for_load_state("load")
    page.add_style_tag(content=STILL)
    page.evaluate("document.fonts.ready.then(() => true)")
    asked = {"format": "webp", "quality": 80, "optimizeForSpeed": False}
    session = page.context.new_cdp_session(page)
    return base64.b64decode(session.send("Page.captureScreenshot", asked)["data"])
