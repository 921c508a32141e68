"""On a slow, broken or lost line, nothing else is booked and nothing typed is lost."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.journeys.stack import Live
from tests.journeys.test_browser_journey import holds_a_time
from tests.journeys.visitor import Visitor, other_doctors, visiting

# What htmx and the browser log if no answer comes.
NO_ANSWER = re.compile(r"ERR_(INTERNET_DISC|FAILED)|htmx:(afterRequest|sendError|sendAbort)")


@contextmanager
def picking(browser: Browser, live: Live) -> Iterator[Visitor]:
    """At the times of a day, of a doctor with several visit types."""
    with visiting(browser, live) as patient:
        patient.go(other_doctors(live)[5])
        patient.picks_a_day()
        yield patient
        patient.faults[:] = [each for each in patient.faults if not NO_ANSWER.search(each)]


def reasons(patient: Visitor) -> Locator:
    return patient.page.get_by_role("radio")


@contextmanager
def answers_kept_back(page: Page) -> Iterator[list[Route]]:
    """htmx gets no answer within the block, and gets one after it."""
    waiting: list[Route] = []

    def keep_back(route: Route) -> None:
        if "hx-request" in route.request.headers:
            waiting.append(route)
        else:
            route.continue_()

    page.route("**/doctors/**", keep_back)
    yield waiting
    for route in waiting:
        route.continue_()
    page.unroute("**/doctors/**")


def test_no_time_can_be_pressed_while_those_for_another_reason_load(
    live: Live, browser: Browser
) -> None:
    with picking(browser, live) as patient:
        page = patient.page
        wanted = reasons(patient).nth(1).get_attribute("value")
        with answers_kept_back(page):
            reasons(patient).nth(1).check()
            expect(page.locator("#picker")).to_have_attribute("aria-busy", "true")
            place = patient.times().first.bounding_box()
            assert place
            page.mouse.click(place["x"] + 5, place["y"] + 5)
            page.mouse.click(place["x"] + 5, place["y"] + 5)
        expect(page.locator("#picker form[method=post] [name=visit_type]")).to_have_value(wanted)
        expect(page.locator("#picker")).not_to_have_attribute("aria-busy", "true")
        attempt = holds_a_time(patient)
        held = live.row("SELECT visit_type_id FROM bookings_hold WHERE id = %s", attempt)
        assert str(held["visit_type_id"]) == wanted


def test_newest_choice_wins_over_an_answer_that_comes_late(live: Live, browser: Browser) -> None:
    with picking(browser, live) as patient:
        page = patient.page
        first, second = (reasons(patient).nth(n).get_attribute("value") for n in (0, 1))
        with answers_kept_back(page) as waiting:
            reasons(patient).nth(1).check()
            reasons(patient).nth(0).check()
            expect(page.locator("#picker")).to_have_attribute("aria-busy", "true")
            assert second in waiting[0].request.url
            del waiting[0]  # the browser has taken it back
        expect(page.locator("#picker")).not_to_have_attribute("aria-busy", "true")
        expect(page.locator("#picker form[method=post] [name=visit_type]")).to_have_value(first)


def test_choice_that_gets_no_answer_is_asked_for_as_a_page(live: Live, browser: Browser) -> None:
    with picking(browser, live) as patient:
        page = patient.page
        wanted = reasons(patient).nth(1).get_attribute("value")
        page.route(
            "**/doctors/**",
            lambda route: (
                route.abort() if "hx-request" in route.request.headers else route.continue_()
            ),
        )
        reasons(patient).nth(1).check()
        page.wait_for_url(re.compile(rf"visit_type={wanted}\b"))
        expect(reasons(patient).nth(1)).to_be_checked()
        expect(page.locator("#picker form[method=post] [name=visit_type]")).to_have_value(wanted)


def test_choice_without_a_line_is_put_back_and_said(live: Live, browser: Browser) -> None:
    with picking(browser, live) as patient:
        patient.page.context.set_offline(True)
        reasons(patient).nth(1).click()
        patient.sees("You are offline.")
        expect(reasons(patient).nth(0)).to_be_checked()
        patient.page.context.set_offline(False)
        main = patient.page.get_by_role("main")
        expect(main.get_by_text("You are offline.")).to_be_hidden()
        holds_a_time(patient)


def test_what_was_typed_without_a_line_stays_and_is_sent_later(
    live: Live, browser: Browser
) -> None:
    with picking(browser, live) as patient:
        holds_a_time(patient)
        patient.fill(First_name="Under", Last_name="Ground", E_mail="tunnel@example.test")
        patient.page.context.set_offline(True)
        patient.press("Send me the code")
        patient.sees("You are offline.")
        expect(patient.page.get_by_label("First name")).to_have_value("Under")
        patient.page.context.set_offline(False)
        patient.press("Send me the code")
        patient.sees_heading("Enter the code from your e-mail")


@pytest.mark.parametrize("path", ["/", "/doctors/"])
def test_page_whose_styles_come_late_asks_for_nothing_that_the_policy_refuses(
    live: Live, browser: Browser, path: str
) -> None:
    """Only the core sheet is there, with Pico in it: `visiting` records what the policy blocks."""

    def leave_out(route: Route) -> None:
        if "/css/core." in route.request.url:
            route.continue_()
        else:
            route.fulfill(body="", content_type="text/css")

    with visiting(browser, live) as visitor:
        visitor.page.route("**/*.css", leave_out)
        visitor.go(path)
        visitor.page.wait_for_load_state("networkidle")
