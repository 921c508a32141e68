"""A secretary writes a week with a lunch break from nothing, and patients find its times."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.stack import DOCTOR, SECRETARY, Live, eventually
from tests.journeys.test_every_page import SCREENS, findings, overflow, without_sheet
from tests.journeys.visitor import Visitor, visiting

PAGE = "/schedule/availability/"


def runs_a_doctor_without_hours(live: Live, *, number: int) -> str:
    """The demo's secretary also runs this doctor, who has no hours; the id."""
    sql = "SELECT id FROM doctors_doctor WHERE user_id IS NULL ORDER BY id DESC OFFSET %s LIMIT 1"
    doctor = str(live.row(sql, number)["id"])
    live.rows("DELETE FROM doctors_availabilityrule WHERE doctor_id = %s RETURNING id", doctor)
    live.rows(
        "INSERT INTO doctors_secretaryassignment (secretary_id, doctor_id)"
        " SELECT id, %s FROM accounts_user WHERE email = %s RETURNING id",
        doctor,
        SECRETARY,
    )
    return doctor


def adds_hours(visitor: Visitor, *, card: int, starts: str, ends: str) -> None:
    visitor.press("Add hours")
    here = visitor.page.locator(".hours-card").nth(card)
    for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"):
        here.get_by_label(day).check(force=True)
    here.get_by_label("From", exact=True).fill(starts)
    here.get_by_label("Until", exact=True).fill(ends)


def wait_for_times(live: Live, doctor: str) -> None:
    sql = "SELECT 1 FROM doctors_slotexpansion WHERE %s = ANY(doctor_ids) AND finished_at NOTNULL"
    eventually(lambda: live.rows(sql, int(doctor)), what="times of the new hours")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_week_with_a_lunch_break_is_written_from_nothing(
    live: Live, browser: Browser, scripts: bool
) -> None:
    doctor = runs_a_doctor_without_hours(live, number=int(scripts))
    slug = live.row("SELECT slug FROM doctors_doctor WHERE id = %s", doctor)["slug"]
    with visiting(browser, live, java_script_enabled=scripts) as secretary:
        secretary.signs_in(SECRETARY, then="/schedule/")
        secretary.go(f"{PAGE}?doctor={doctor}")
        secretary.sees_heading("No weekly hours yet")
        adds_hours(secretary, card=0, starts="09:00", ends="12:00")
        adds_hours(secretary, card=1, starts="13:00", ends="17:00")
        if scripts:
            secretary.page.locator(".hours-card").nth(1).get_by_label("Until", exact=True).blur()
        else:
            secretary.press("Preview")
        secretary.sees(re.compile(r"The next four weeks: (\d+) times, \1 are new"))
        secretary.press("Save hours")
        secretary.sees("Saved. Patients see the new times in a moment.")
        expect(secretary.page.locator(".hours-card")).to_have_count(2)
        wait_for_times(live, doctor)
        secretary.go(f"/doctors/{slug}/")
        secretary.picks_a_day()
        clocks = [text[:5] for text in secretary.times().all_inner_texts()]
        assert clocks
        assert not [clock for clock in clocks if "12:00" <= clock < "13:00"]
        assert {clock[:2] for clock in clocks} >= {"11", "13"}


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_of_hours_are_accessible_and_fit(live: Live, browser: Browser, screen: str) -> None:
    found: dict[str, list[str]] = {}
    how: dict[str, Any] = {"bypass_csp": True, "reduced_motion": "reduce"}
    with visiting(browser, live, **how, **SCREENS[screen]) as doctor:
        doctor.signs_in(DOCTOR, then="/schedule/")
        for stop in _stops(doctor):
            found[stop] = overflow(doctor.page) + without_sheet(doctor.page)
            found[stop] += findings(doctor.page)
    assert {stop: problems for stop, problems in found.items() if problems} == {}


def _stops(visitor: Visitor) -> Any:
    visitor.go(PAGE)
    yield "weekly hours"
    first = visitor.page.locator(".hours-card").first
    first.get_by_label("Until", exact=True).fill("10:00")
    first.get_by_label("Until", exact=True).blur()
    visitor.sees("Changed, not saved")
    yield "changed"
    first.get_by_label("Until", exact=True).fill("25:00")
    visitor.press("Save hours")
    visitor.sees("Please check these fields")
    yield "wrong"
    visitor.go(f"{PAGE}rules/")
    visitor.page.get_by_label("Days ahead").fill("400")
    visitor.press("Save")
    visitor.sees("Write a number from 1 to 365.")
    visitor.page.get_by_label("Days ahead").fill("30")
    visitor.page.get_by_label("Days ahead").blur()
    visitor.sees(re.compile("^Patients who look now find times"))
    yield "booking rules"
    visitor.go(f"{PAGE}time-off/")
    yield "time off"
