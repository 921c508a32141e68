"""When the countdown is over, the browser shows one next step, and nothing that cannot work."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect

from tests.journeys.stack import Live
from tests.journeys.test_browser_journey import asks_for_the_code, holds_a_time
from tests.journeys.test_waitlist_journey import is_offered_a_time
from tests.journeys.visitor import Visitor, other_doctors, visiting


@contextmanager
def whose_clock_is_ours(browser: Browser, live: Live) -> Iterator[Visitor]:
    with visiting(browser, live) as guest:
        guest.page.clock.install()
        guest.go(other_doctors(live)[9])
        guest.picks_a_day()
        holds_a_time(guest)
        yield guest


def test_details_end_with_one_button_that_takes_along_what_was_typed(
    live: Live, browser: Browser
) -> None:
    with whose_clock_is_ours(browser, live) as guest:
        guest.fill(First_name="Saskia")
        guest.page.get_by_label("First name").focus()
        guest.page.clock.fast_forward("06:00")
        main = guest.page.get_by_role("main")
        expect(main.get_by_role("textbox")).to_have_count(0)
        expect(main.get_by_role("button")).to_have_text([re.compile("is still free$")])
        expect(main.get_by_role("button")).to_be_focused()
        guest.press(re.compile("is still free$"))
        expect(guest.page.get_by_label("First name")).to_have_value("Saskia")
        guest.press("Give this time back")


def test_code_page_ends_with_one_link_to_the_same_time(live: Live, browser: Browser) -> None:
    with whose_clock_is_ours(browser, live) as guest:
        email = "too-slow@example.test"
        asks_for_the_code(guest, First_name="Too", Last_name="Slow", E_mail=email)
        details = guest.page.url.removesuffix("code/")
        guest.page.clock.fast_forward("06:00")
        main = guest.page.get_by_role("main")
        expect(main.get_by_role("button")).to_have_count(0)
        expect(main.get_by_text("No e-mail yet?")).to_be_hidden()
        expect(main.get_by_text("We sent a code")).to_be_hidden()
        expect(main.get_by_role("heading", level=1)).to_have_text("This time is no longer held")
        expect(guest.page).to_have_title("This time is no longer held · DocBook")
        ticket = main.get_by_role("region", name="No longer held for you")
        expect(ticket.get_by_text("Too Slow")).to_be_visible()
        expect(ticket.get_by_text(re.compile("changes", re.I))).to_be_hidden()
        link = main.get_by_role("link", name=re.compile("is still free$"))
        assert details.endswith(link.get_attribute("href") or "nowhere")


def test_offer_ends_with_one_link_to_what_became_of_it(live: Live, browser: Browser) -> None:
    with visiting(browser, live) as patient:
        link, _entry = is_offered_a_time(
            patient,
            doctor=other_doctors(live)[3],
            email="patient-27@demo.docbook.test",
            by="patient-28@demo.docbook.test",
        )
        patient.page.clock.install()
        patient.go(link)
        ring = patient.page.locator(".ring-left")
        expect(ring).to_have_attribute("stroke-dasharray", re.compile(r"^8\d\d 900$"))
        patient.page.clock.fast_forward("16:00")
        main = patient.page.get_by_role("main")
        expect(main.get_by_role("button")).to_have_count(0)
        patient.sees("goes to the next person.")
        patient.sees_heading("This time went to the next person")
        patient.sees_heading("No longer held for you")
        expect(main.get_by_role("link", name="See what you can do now")).to_be_visible()
