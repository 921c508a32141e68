"""Every page of a journey is accessible, in light and dark, and fits on the smallest phone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.design.stylesheet import named_classes
from tests.doctors.calendars import calendar
from tests.journeys.stack import DOCTOR, Live
from tests.journeys.test_browser_journey import asks_for_the_code, confirms, holds_a_time
from tests.journeys.test_changes_journey import change_at_any_time
from tests.journeys.test_waitlist_journey import is_offered_a_time
from tests.journeys.visitor import Visitor, other_doctors, visiting

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "desktop, dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "smallest phone": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
}
# Everything once; what depends on colours and on the screen size also there.
AXE: dict[str, dict[str, Any]] = {
    "desktop": {},
    "desktop, dark": {"runOnly": ["color-contrast"]},
    "phone": {"runOnly": ["target-size", "color-contrast"]},
}


A_VISIT = """
    SELECT v.id, (v.starts_at AT TIME ZONE v.time_zone)::date AS day
    FROM bookings_appointment v JOIN doctors_doctor d ON d.id = v.doctor_id
    JOIN accounts_user u ON u.id = d.user_id
    WHERE u.email = %s AND v.status = 'confirmed' AND v.starts_at > now() + interval '3 days'
    ORDER BY v.starts_at DESC, v.id LIMIT 1
"""


def stops(visitor: Visitor, *, doctor: str, number: int) -> Iterator[str]:
    """Walks through the product; each stop is the name of the page that is open then."""
    email = f"tour-{number}@example.test"
    name = doctor.split("/")[2].replace("-", "+")
    for path in (
        "/",
        "/doctors/",
        "/doctors/?q=nobody-has-this-name",
        f"/doctors/?q={name}",
        doctor,
    ):
        visitor.go(path)
        yield path
    visitor.picks_a_day()
    yield "day"
    visit = holds_a_time(visitor)
    yield "details"
    visitor.press("Send me the code")
    visitor.sees("Please check these fields")
    yield "details with errors"
    asks_for_the_code(visitor, First_name="Maximiliane", Last_name="van der Meer", E_mail=email)
    yield "code"
    visitor.page.get_by_label("Six-digit code").fill("12345")
    visitor.press("Confirm booking")
    visitor.sees("Enter the whole code as we sent it.")
    yield "code with an error"
    confirms(visitor, visitor.live.code(to=email))
    yield "confirmed"
    yield from changes(visitor, visit=visit)
    yield from offered(visitor, doctor=doctor, number=number)
    for path in ("/appointments/", "/appointments/?tab=past", "/nothing-here/"):
        visitor.go(path)
        yield path
    visitor.page.context.clear_cookies()
    for path in ("/accounts/login/", "/accounts/signup/", "/accounts/login/code/"):
        visitor.go(path)
        yield path
    visitor.signs_in(DOCTOR, then="/schedule/")
    yield "schedule"
    for view in ("month", "list", "week"):
        visitor.go(f"/schedule/?view={view}")
        yield view
    visit = visitor.live.row(A_VISIT, DOCTOR)
    day = visit["day"]
    visitor.go(f"/schedule/?view=week&date={day}&visit={visit['id']}")
    yield "visit beside the week"
    visitor.go(f"/schedule/visits/{visit['id']}/move/?date={day}&at=600")
    yield "visit that moves"
    visitor.go("/schedule/numbers/")
    for number in range(visitor.page.locator(".chart-table").count()):
        table = visitor.page.locator(".chart-table").nth(number)
        if table.get_attribute("open") is None:
            table.locator("summary").click()
    yield "numbers"
    visitor.go("/schedule/numbers/?period=custom&first=2026-02-20&last=2020-01-01")
    visitor.sees("The last day must not be before the first.")
    yield "numbers of refused days"
    visitor.go("/schedule/")
    visitor.follow("Calendar feed")
    visitor.sees_heading("Calendar feed")
    yield "calendar feed"
    yield from other_calendars(visitor)
    for path in ("email/", "password/change/", "reauthenticate/", "2fa/", "2fa/totp/activate/"):
        visitor.go(f"/accounts/{path}")
        yield path


def other_calendars(visitor: Visitor) -> Iterator[str]:
    """Nothing is busy in the calendar: other tests need the times."""
    visitor.go("/schedule/availability/calendars/")
    yield "other calendars"
    visitor.page.get_by_label("Name").first.fill("Hospital")
    visitor.page.get_by_label("Secret address").fill("https://10.0.0.1/busy.ics")
    visitor.press(re.compile("^Connect"))
    visitor.sees("This address leads into a private network.")
    yield "other calendars, with an error"
    visitor.page.get_by_label("Name").last.fill("Hospital")
    file = {"name": "busy.ics", "mimeType": "text/calendar", "buffer": calendar()}
    visitor.page.get_by_label("Calendar file").set_input_files(file)
    visitor.press("Upload")
    visitor.sees("Connected, with 0 busy times.")
    yield "other calendars, one of them connected"
    visitor.press(re.compile("^Disconnect"))
    visitor.sees("is disconnected")


def offered(visitor: Visitor, *, doctor: str, number: int) -> Iterator[str]:
    """A time for somebody on the waitlist, and what happens to it."""
    link, _entry = is_offered_a_time(
        visitor,
        doctor=doctor,
        email=f"patient-{30 + number}@demo.docbook.test",
        by=f"patient-{40 + number}@demo.docbook.test",
    )
    visitor.go(link)
    yield "offered time"
    visitor.press("No, thank you")
    visitor.sees_heading("You let this time go")
    yield "offered time, declined"


def changes(visitor: Visitor, *, visit: str) -> Iterator[str]:
    """The pages on which the visit is changed; in the end it is cancelled."""
    change_at_any_time(visitor.live, visit)
    visitor.go(f"/appointments/{visit}/")
    visitor.follow("Cancel visit")
    yield "question in a dialog"
    for path in ("/appointments/", f"/appointments/{visit}/reschedule/"):
        visitor.go(path)
        yield path.replace(visit, "…")
    visitor.go(f"/appointments/{visit}/cancel/")
    yield "question on a page"
    visitor.press("Cancel visit")
    visitor.sees("Cancelled. Thank you for telling us early")
    yield "cancelled"


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_have_no_accessibility_findings_and_fit_the_screen(
    live: Live, browser: Browser, screen: str
) -> None:
    number = list(SCREENS).index(screen)
    found: dict[str, list[str]] = {}
    # Axe puts its own styles into the page; the other journeys check our policy. Without motion it
    # sees the final colours and not the ones in between.
    read_by_axe = screen in AXE
    how = {"bypass_csp": read_by_axe, "reduced_motion": "reduce"}
    with visiting(browser, live, **how, **SCREENS[screen]) as visitor:
        doctor = other_doctors(live)[5 + number]
        if screen == "smallest phone":
            has_a_long_name(live, doctor)
        for stop in stops(visitor, doctor=doctor, number=number):
            found[stop] = overflow(visitor.page) + without_sheet(visitor.page)
            if "phone" in screen:
                found[stop] += cramped(visitor.page)
            if read_by_axe:
                found[stop] += findings(visitor.page, **AXE[screen])
    assert {stop: problems for stop, problems in found.items() if problems} == {}


def has_a_long_name(live: Live, doctor: str) -> None:
    """The address of the doctor's page stays."""
    name = (
        "Dr Maximiliane-Theodora Wolfeschlegelsteinhausenbergerdorff"
        " van der Meer-Oyelaran de la Fuente"
    )
    slug = doctor.split("/")[2]
    live.rows("UPDATE doctors_doctor SET name = %s WHERE slug = %s RETURNING id", name, slug)


def findings(page: Page, **options: Any) -> list[str]:
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in Axe()
        .run(page, options={"preload": False, **options})
        .response["violations"]
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> list[str]:
    """Elements wider than the screen, which would make the page scroll sideways."""
    wide, screen = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    return [f"{wide} px wide on {screen} px"] if wide > screen else []


# Classes of the page that none of its stylesheets names.
UNNAMED = r"""
(() => {
  const named = new Set();
  const read = (rules) => {
    for (const rule of rules) {
      const classes = (rule.selectorText || "").matchAll(/\.([a-z][\w-]*)/g);
      for (const found of classes) named.add(found[1]);
      read(rule.cssRules || []);
    }
  };
  for (const sheet of document.styleSheets) read(sheet.cssRules);
  const parts = [...document.querySelectorAll("body, body [class]")];
  const worn = new Set(parts.flatMap((part) => [...part.classList]));
  return [...worn].filter((name) => !named.has(name));
})()
"""


SHEETS_ARE_THERE = """
[...document.querySelectorAll("link[rel=stylesheet]")].every((link) => link.sheet !== null)
"""


def without_sheet(page: Page) -> list[str]:
    """Classes that some stylesheet of ours names, but none of this page. A page that came into
    another one may still be fetching its sheets.
    """
    page.wait_for_function(SHEETS_ARE_THERE)
    return [f"no sheet for .{name}" for name in page.evaluate(UNNAMED) if name in named_classes()]


# What a thumb hits: separate elements, by their own box or by the one they spread over their card.
CRAMPED = """
[...document.querySelectorAll("main a, main button, main summary")]
  .filter((part) => part.checkVisibility() && !part.matches(".chip"))
  .filter((part) => part.parentElement.textContent.trim() === part.textContent.trim())
  .map((part) => [part, part.getBoundingClientRect().height])
  .map(([part, height]) =>
    [part, Math.max(height, parseFloat(getComputedStyle(part, "::after").height) || 0)])
  .filter(([part, height]) => Math.round(height) < 44)
  .map(([part, height]) => `${Math.round(height)} px: ${part.outerHTML.slice(0, 160)}`)
"""


def cramped(page: Page) -> list[str]:
    """Links and buttons less than 44 px high that are not part of a sentence."""
    return list(page.evaluate(CRAMPED))


# Words of the page's own headings that are broken within, and times that stick out of their chips.
CRUSHED = r"""
(() => {
  const broken = [...document.querySelectorAll("main :is(h1, h2, h3)")]
    .filter((heading) => heading.checkVisibility())
    .flatMap((heading) => {
      const texts = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT);
      const found = [];
      while (texts.nextNode()) {
        for (const word of texts.currentNode.data.matchAll(/[\p{L}\d]+/gu)) {
          const range = document.createRange();
          range.setStart(texts.currentNode, word.index);
          range.setEnd(texts.currentNode, word.index + word[0].length);
          const tops = [...range.getClientRects()].map((box) => Math.round(box.top));
          if (word[0].length < 12 && new Set(tops).size > 1) found.push(`broken: ${word[0]}`);
        }
      }
      return found;
    });
  const outside = [...document.querySelectorAll("main .time bdi")]
    .filter((time) => time.checkVisibility())
    .filter((time) => time.getBoundingClientRect().width
      > time.closest(".time").getBoundingClientRect().width)
    .map((time) => `too wide: ${time.textContent}`);
  return [...broken, ...outside];
})()
"""
ENLARGED = {150: (320, 390, 640, 768, 1024), 200: (390, 640, 768, 1024)}


def crushed(page: Page) -> list[str]:
    """What does not fit with enlarged text, at each width; then the page is as it was before."""
    found, before = [], page.viewport_size
    assert before is not None
    for percent, widths in ENLARGED.items():
        page.evaluate(f"document.documentElement.style.fontSize = '{percent}%'")
        for width in widths:
            page.set_viewport_size({"width": width, "height": before["height"]})
            problems = overflow(page) + list(page.evaluate(CRUSHED))
            found += [f"{width} px, {percent} %: {problem}" for problem in problems]
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size(before)
    return found


def test_pages_hold_together_with_enlarged_text(live: Live, browser: Browser) -> None:
    number = len(SCREENS)
    found: dict[str, list[str]] = {}
    with visiting(browser, live, reduced_motion="reduce", **SCREENS["desktop"]) as visitor:
        doctor = other_doctors(live)[5 + number]
        for stop in stops(visitor, doctor=doctor, number=number):
            found[stop] = crushed(visitor.page)
    assert {stop: problems for stop, problems in found.items() if problems} == {}
