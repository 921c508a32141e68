"""Somebody at a real browser, who finds things by role and name, as people do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

from tests.journeys.stack import DOCTOR, PASSWORD, Live

PATIENCE = 60_000  # milliseconds
# The browser logs every refusal page as "failed to load"; that is no fault of the page.
REFUSAL = re.compile(r"responded with a status of (404|409|410|422)")
NOTE_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
_numbers = count(1)

expect.set_options(timeout=PATIENCE)


@dataclass
class Visitor:
    """One browser window with its own cookies and address."""

    page: Page
    live: Live
    faults: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.live.url}{path}")

    def press(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name).first.click()

    def follow(self, name: str | re.Pattern[str], **options: Any) -> None:
        self.page.get_by_role("link", name=name, **options).first.click()

    def fill(self, **fields: str) -> None:
        """By label; underscores in the keyword names stand for spaces."""
        for label, value in fields.items():
            self.page.get_by_label(re.compile(label.replace("_", "[ -]?"), re.I)).first.fill(value)

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("main").get_by_text(text).first).to_be_visible()

    def sees_heading(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", name=text).first).to_be_visible()

    def signs_in(self, email: str, *, then: str = "/appointments/") -> None:
        self.go(f"/accounts/login/?next={then}")
        self.fill(E_mail=email, Password=PASSWORD)
        self.page.get_by_role("main").get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"**{then}**")

    def times(self) -> Any:
        """The free times of the chosen day."""
        return self.page.get_by_role("button", name=re.compile(r"\d\d:\d\d to \d\d:\d\d, Dr "))

    def picks_a_day(self, *, number: int = 1) -> None:
        """A day with free times; the first one may be chosen already."""
        self.page.wait_for_load_state()  # before its styles, a page folds the next month away
        days = self.page.get_by_role("link", name=re.compile(r"\d+ free times?$"))
        if days.count() <= number:  # on a phone, the next month is folded away
            self.page.get_by_text(re.compile(r"^\s*Show [A-Z]")).locator("visible=true").click()
        day = days.nth(number)
        name = (day.get_attribute("aria-label") or "").partition(",")[0]
        day.click()
        self.sees_heading(name)

    def note_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not REFUSAL.search(message.text):
            self.faults.append(f"{self.page.url}: {message.text}")

    def note_response(self, response: Response) -> None:
        missing = response.status == 404 and response.request.resource_type != "document"
        if response.status >= 500 or missing:
            self.faults.append(f"{response.status} {response.url}")


@contextmanager
def visiting(browser: Browser, live: Live, **options: Any) -> Iterator[Visitor]:
    """A visitor who must have met no script error and no breach of our policy by the end."""
    number = next(_numbers)
    options = {"locale": "en-GB", "accept_downloads": True} | options
    options["extra_http_headers"] = {"X-Forwarded-For": f"198.51.100.{number}"}
    with browser.new_context(**options) as context:
        context.set_default_timeout(PATIENCE)
        context.add_init_script(NOTE_VIOLATIONS)
        page = context.new_page()
        visitor = Visitor(page=page, live=live)
        page.on("console", visitor.note_console)
        page.on("pageerror", lambda error: visitor.faults.append(f"{page.url}: {error}"))
        page.on("response", visitor.note_response)
        yield visitor
        assert not visitor.faults, visitor.faults


def doctor_of_the_demo(live: Live) -> str:
    """The address of the demo doctor who can sign in."""
    sql = (
        "SELECT slug FROM doctors_doctor AS doctor JOIN accounts_user AS login"
        " ON login.id = doctor.user_id WHERE email = %s"
    )
    return f"/doctors/{live.row(sql, DOCTOR)['slug']}/"


def other_doctors(live: Live) -> list[str]:
    """Doctors with plenty of free times that no other journey books."""
    sql = (
        "SELECT slug FROM doctors_doctor AS doctor WHERE user_id IS NULL"
        " ORDER BY (SELECT count(*) FROM doctors_slot WHERE doctor_id = doctor.id"
        " AND state = 'open') DESC, id"
    )
    return [f"/doctors/{row['slug']}/" for row in live.rows(sql)]
