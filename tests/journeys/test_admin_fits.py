"""The admin lists and forms that staff use most need no horizontal scrolling at 1280 px."""

from playwright.sync_api import Browser

from tests.journeys.stack import Live
from tests.journeys.visitor import visiting

ADMIN = "admin@demo.docbook.test"
# What is wider than its box: the page, or the table of a list.
WIDE = """
[document.documentElement, ...document.querySelectorAll("#changelist .results, .tabular")]
  .filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => `${box.className}: ${box.scrollWidth} px in ${box.clientWidth} px`)
"""


def test_appointments_and_the_form_of_a_doctor_fit_a_window_of_1280_px(
    live: Live, browser: Browser
) -> None:
    with visiting(browser, live, viewport={"width": 1280, "height": 900}) as staff:
        staff.signs_in(ADMIN, then="/admin/")
        staff.go("/admin/bookings/appointment/")
        assert staff.page.evaluate(WIDE) == []
        staff.go("/admin/doctors/doctor/?q=Visser")
        staff.page.locator("#result_list tbody a").first.click()
        staff.sees("Availability rules")
        assert staff.page.evaluate(WIDE) == []
