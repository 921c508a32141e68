"""A secretary works with the week: marks a visit, and moves one with the mouse or a form."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.journeys.stack import DOCTOR, SECRETARY, Live, eventually
from tests.journeys.visitor import visiting

# Visits of the demo doctor in the week after next, which no other journey changes.
VISITS = """
    SELECT v.id, v.patient_name, (v.starts_at AT TIME ZONE v.time_zone)::date AS day
    FROM bookings_appointment v JOIN doctors_doctor d ON d.id = v.doctor_id
    JOIN accounts_user u ON u.id = d.user_id
    WHERE u.email = %s AND v.status = 'confirmed' AND v.starts_at > now() + interval '9 days'
      AND extract(isodow FROM v.starts_at) < 5
    ORDER BY v.starts_at, v.id OFFSET %s LIMIT 1
"""
WIDE = {"viewport": {"width": 1440, "height": 1000}}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_secretary_marks_a_visit_beside_the_week_and_moves_another(
    live: Live, browser: Browser, scripts: bool
) -> None:
    visit = live.row(VISITS, DOCTOR, 2 * int(scripts))
    with visiting(browser, live, java_script_enabled=scripts, **WIDE) as secretary:
        page = secretary.page
        secretary.signs_in(SECRETARY, then="/schedule/")
        secretary.go(f"/schedule/?date={visit['day']}")
        page.get_by_role("navigation", name="View").get_by_role("link", name="Week").click()
        entry = page.locator(f".time-entries a[href$='{visit['id']}']")
        entry.click()
        panel = page.get_by_role("complementary")
        expect(panel.get_by_role("heading", name=visit["patient_name"])).to_be_visible()
        for button, after in (("Arrived", "arrived"), ("Undo", "confirmed")):
            panel.get_by_role("button", name=re.compile(f"^{button}")).click()
            expect(entry).to_have_class(re.compile(f"entry-{after}"))
            expect(entry).to_have_attribute("aria-current", "true")
        panel.get_by_role("link", name="Move").click()
        secretary.sees_heading(f"Move {visit['patient_name']}")
        while not page.locator(".move-times input").count():
            page.locator(".week-day[aria-current] + .week-day").click()
        page.locator(".move-times input").last.check()
        page.get_by_label("Why?").fill("The doctor operates that morning")
        secretary.press("Move the visit")
        secretary.sees(re.compile("^Moved to .* The patient is told."))
    new = live.row("SELECT id FROM bookings_appointment WHERE replaces = %s", visit["id"])
    assert new


def test_visit_that_is_dragged_onto_a_conflict_is_told_so_and_stays(
    live: Live, browser: Browser
) -> None:
    visit = live.row(VISITS, DOCTOR, 5)
    with visiting(browser, live, **WIDE) as secretary:
        page = secretary.page
        secretary.signs_in(SECRETARY, then="/schedule/")
        secretary.go(f"/schedule/?view=week&date={visit['day']}")
        mine = page.locator(f".time-entries a[href$='{visit['id']}']")
        onto_the_top(mine, page.locator(f".time-entries a:not([href$='{visit['id']}'])").last)
        secretary.sees("The doctor has another visit then.")
        secretary.go(f"/schedule/?view=week&date={visit['day']}")
        onto_the_top(mine, page.locator(".time-entries .entry-free").last)
        secretary.sees_heading(f"Move {visit['patient_name']}")
    status = "SELECT status FROM bookings_appointment WHERE id = %s"
    assert live.row(status, visit["id"])["status"] == "confirmed"


def onto_the_top(visit: Locator, other: Locator) -> None:
    """Held at its top and dropped a little under the top of the other."""
    middle = {"x": 30, "y": 5}
    visit.drag_to(other, source_position=middle, target_position=middle)


# The last days with some free times: nobody else needs them.
FREE_DAYS = """
    SELECT (s.starts_at AT TIME ZONE c.time_zone)::date::text AS day,
           to_char(min(s.starts_at AT TIME ZONE c.time_zone), 'HH24:MI') AS first,
           to_char(min(s.ends_at AT TIME ZONE c.time_zone), 'HH24:MI') AS last
    FROM doctors_slot s JOIN doctors_clinic c ON c.id = s.clinic_id
    JOIN doctors_doctor d ON d.id = s.doctor_id JOIN accounts_user u ON u.id = d.user_id
    WHERE u.email = %s AND s.state = 'open'
    GROUP BY 1 HAVING count(*) > 5 ORDER BY 1 DESC OFFSET %s LIMIT 1
"""
LEFT = """
    SELECT count(*) AS number FROM doctors_slot s JOIN doctors_clinic c ON c.id = s.clinic_id
    JOIN doctors_doctor d ON d.id = s.doctor_id JOIN accounts_user u ON u.id = d.user_id
    WHERE u.email = %s AND s.state = 'open' AND (s.starts_at AT TIME ZONE c.time_zone)::date = %s
      AND (s.starts_at AT TIME ZONE c.time_zone)::time >= %s::time
      AND (s.starts_at AT TIME ZONE c.time_zone)::time < %s::time
"""


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_time_is_blocked_by_drawing_it_or_with_a_form(
    live: Live, browser: Browser, scripts: bool
) -> None:
    free = live.row(FREE_DAYS, DOCTOR, int(scripts))
    with visiting(browser, live, java_script_enabled=scripts, **WIDE) as secretary:
        page = secretary.page
        secretary.signs_in(SECRETARY, then="/schedule/")
        secretary.go(f"/schedule/?view=week&date={free['day']}")
        if scripts:
            draws(page, page.locator(f"[data-day='{free['day']}'] .entry-free").first)
        else:
            secretary.follow("Block time")
        secretary.sees_heading(re.compile("^When can patients book "))
        expect(page.get_by_label("First day")).to_have_value(free["day"])
        if not scripts:
            page.get_by_label("From").fill(free["first"])
            page.get_by_label("Until").fill(free["last"])
        first, last = (page.get_by_label(each).input_value() for each in ("From", "Until"))
        assert first < last
        assert live.row(LEFT, DOCTOR, free["day"], first, last)["number"]
        secretary.press("Add these days")
        secretary.sees("Added. Patients see the new times in a moment.")
        assert f"date={free['day']}" in page.url
        assert "view=week" in page.url

    def is_gone() -> bool:
        return not live.row(LEFT, DOCTOR, free["day"], first, last)["number"]

    eventually(is_gone, what="the end of the blocked times")


def draws(page: Page, over: Locator) -> None:
    """From the top of this entry to its end, with the mouse."""
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 1)
    expect(page.locator(".time-drawn")).to_be_visible()
    page.mouse.up()


def test_week_is_run_by_keys_alone(live: Live, browser: Browser) -> None:
    with visiting(browser, live, **WIDE) as secretary:
        keyboard, page = secretary.page.keyboard, secretary.page
        secretary.signs_in(SECRETARY, then="/schedule/")
        keyboard.press("w")
        current = page.get_by_role("navigation", name="View").locator("[aria-current]")
        expect(current).to_have_text("Week")
        keyboard.press("f")
        expect(page.get_by_role("link", name="Today")).not_to_have_attribute("aria-current", "date")
        keyboard.press("v")
        expect(page.locator(".time-entries a").first).to_be_focused()
        keyboard.press("ArrowRight")
        expect(page.locator(".time-column").nth(1).locator("a:focus")).to_be_visible()
        keyboard.press("Enter")
        expect(page.get_by_role("complementary")).to_be_visible()
        keyboard.press("Escape")
        expect(page.get_by_role("complementary")).to_be_hidden()
        keyboard.press("?")
        keys = page.get_by_role("dialog", name="Keys")
        expect(keys).to_be_visible()
        keys.get_by_role("button", name="Switch single keys off").click()
        expect(keys).to_be_hidden()
        keyboard.press("m")
        page.locator(".time-entries a").first.focus()
        keyboard.press("ArrowDown")  # arrows go on working
        expect(page.locator(".time-entries a").nth(1)).to_be_focused()
        expect(current).to_have_text("Week")
