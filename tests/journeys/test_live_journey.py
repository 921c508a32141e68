"""Two people look at one week: what one of them does, the other one sees without a reload."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.stack import DOCTOR, SECRETARY, Live
from tests.journeys.test_week_journey import VISITS
from tests.journeys.visitor import Visitor, visiting

WIDE = {"viewport": {"width": 1440, "height": 1000}}
NO_STREAM = "**/events/**"


def opens_the_week(visitor: Visitor, email: str, *, day: object) -> None:
    """Once the page has its stream, or knows that there is none."""
    visitor.signs_in(email, then="/schedule/")
    visitor.page.add_init_script("window.drawnOnce = (window.drawnOnce || 0) + 1")
    with visitor.page.expect_request(NO_STREAM):
        visitor.go(f"/schedule/?view=week&date={day}")
    visitor.page.evaluate("window.stillHere = true")


def marks(visitor: Visitor, visit: dict, button: str) -> None:
    """On the page of the visit."""
    visitor.go(f"/schedule/visits/{visit['id']}/")
    visitor.press(re.compile(f"^{button}"))
    visitor.page.wait_for_load_state()


def entry_of(page: Page, visit: dict):
    return page.locator(f".time-entries a[href$='{visit['id']}']")


def was_not_reloaded(page: Page) -> bool:
    return page.evaluate("window.stillHere === true")


def test_open_week_shows_an_arrival_at_the_desk_and_says_so(live: Live, browser: Browser) -> None:
    visit = live.row(VISITS, DOCTOR, 3)
    with visiting(browser, live, **WIDE) as doctor, visiting(browser, live, **WIDE) as secretary:
        opens_the_week(doctor, DOCTOR, day=visit["day"])
        entry = entry_of(doctor.page, visit)
        entry.focus()
        secretary.signs_in(SECRETARY, then="/schedule/")
        marks(secretary, visit, "Arrived")
        expect(entry).to_have_class(re.compile("entry-arrived"))
        announcer = doctor.page.locator("#announcer")
        expect(announcer).to_have_text("Schedule updated: a patient has arrived.")
        expect(entry).to_be_focused()
        # Nothing moves while somebody types.
        entry.click()
        note = doctor.page.get_by_role("complementary").get_by_label(re.compile("note", re.I))
        note.fill("Brings the letter")
        marks(secretary, visit, "Undo")
        doctor.page.wait_for_timeout(1500)
        expect(entry).to_have_class(re.compile("entry-arrived"))
        expect(note).to_have_value("Brings the letter")
        note.fill("")
        note.blur()
        expect(entry).to_have_class(re.compile("entry-confirmed"))
        assert was_not_reloaded(doctor.page)


def test_without_a_stream_the_week_looks_by_itself(live: Live, browser: Browser) -> None:
    visit = live.row(VISITS, DOCTOR, 4)
    with visiting(browser, live, **WIDE) as doctor, visiting(browser, live, **WIDE) as secretary:
        doctor.page.clock.install()
        doctor.page.route(NO_STREAM, lambda route: route.fulfill(status=503))
        opens_the_week(doctor, DOCTOR, day=visit["day"])
        secretary.signs_in(SECRETARY, then="/schedule/")
        marks(secretary, visit, "Arrived")
        doctor.page.clock.run_for(60_000)
        entry = entry_of(doctor.page, visit)
        expect(entry).to_have_class(re.compile("entry-arrived"))
        assert was_not_reloaded(doctor.page)
        marks(secretary, visit, "Undo")
        doctor.faults.clear()  # the browser logs that there was no stream


@pytest.mark.parametrize("view", ["day", "week", "doctors", "month", "list"])
def test_every_view_has_a_stream(live: Live, browser: Browser, view: str) -> None:
    with visiting(browser, live, **WIDE) as secretary:
        secretary.signs_in(SECRETARY, then="/schedule/")
        with secretary.page.expect_response(NO_STREAM) as found:
            secretary.go(f"/schedule/?view={view}")
        assert found.value.status == 200
        assert found.value.headers["content-type"] == "text/event-stream"
