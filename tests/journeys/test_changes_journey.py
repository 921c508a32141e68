"""Cancelling a visit and moving it in a real browser, with scripts and without."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.stack import Live
from tests.journeys.test_browser_journey import asks_for_the_code, confirms, holds_a_time
from tests.journeys.visitor import Visitor, other_doctors, visiting

each_browser = pytest.mark.parametrize(
    "scripts", [True, False], ids=["with scripts", "without scripts"]
)


def books(visitor: Visitor, *, email: str) -> str:
    """A visit that can be changed until it begins; its id."""
    visitor.picks_a_day()
    visit = holds_a_time(visitor)
    asks_for_the_code(visitor, First_name="Change", Last_name="Minded", E_mail=email)
    confirms(visitor, visitor.live.code(to=email))
    change_at_any_time(visitor.live, visit)
    return visit


def change_at_any_time(live: Live, visit: str) -> None:
    """The demo's next free times may be closer than the usual notice of one day."""
    live.rows(
        "UPDATE doctors_doctor SET change_notice_minutes = 0"
        " WHERE id = (SELECT doctor_id FROM bookings_appointment WHERE id = %s) RETURNING id",
        visit,
    )


@each_browser
def test_patient_calls_a_visit_off_and_is_told_by_mail(
    live: Live, browser: Browser, scripts: bool
) -> None:
    email = f"cancels.{scripts}@example.test".lower()
    with visiting(browser, live, java_script_enabled=scripts) as patient:
        patient.go(other_doctors(live)[0])
        visit = books(patient, email=email)
        patient.go("/appointments/")
        patient.follow(re.compile(r"^.* · Dr "))
        patient.follow("Cancel visit")
        dialog = patient.page.get_by_role("dialog")
        if scripts:
            expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
            patient.page.keyboard.press("Escape")
            expect(dialog).to_be_hidden()
            patient.follow("Cancel visit")
            dialog.get_by_role("button", name="Keep it").click()
            expect(dialog).to_be_hidden()
            patient.follow("Cancel visit")
        else:
            patient.follow("Keep it")
            patient.follow("Cancel visit")
            patient.sees_heading(re.compile(r"^Cancel .* with Dr .*\?$"))
        patient.press("Cancel visit")
        patient.sees("Cancelled. Thank you for telling us early")
        patient.go("/appointments/?tab=cancelled")
        patient.sees("Cancelled")
    row = live.row("SELECT status, version FROM bookings_appointment WHERE id = %s", visit)
    assert row == {"status": "cancelled", "version": 2}
    assert live.rows("SELECT id FROM doctors_slot WHERE hold_id = %s", visit) == []
    told = live.mail(to=email, subject="Cancelled")
    assert "You have cancelled this visit." in told["text"]


@each_browser
def test_patient_moves_a_visit_and_keeps_the_old_time_until_the_code(
    live: Live, browser: Browser, scripts: bool
) -> None:
    email = f"moves.{scripts}@example.test".lower()
    with visiting(browser, live, java_script_enabled=scripts) as patient:
        patient.go(other_doctors(live)[1])
        old = books(patient, email=email)
        patient.go(f"/appointments/{old}/")
        patient.follow("Move visit")
        patient.sees("until the new one is confirmed")
        patient.picks_a_day()
        patient.times().last.click()
        patient.sees_heading("Enter the code from your e-mail")
        patient.sees("until the new one is confirmed")
        assert statuses(live, old) == ["confirmed"]
        patient.page.get_by_label("Six-digit code").fill(live.code(to=email, count=2))
        patient.press("Move the visit")
        patient.sees("Your appointment has moved.")
        patient.follow(re.compile("^Moved from"))
        patient.follow(re.compile("^Moved to"))
        patient.sees_heading(re.compile(r"\d"))
    new = live.row("SELECT id, replaces FROM bookings_appointment WHERE replaces = %s", old)
    assert statuses(live, old) == ["rescheduled"]
    assert statuses(live, str(new["id"])) == ["confirmed"]
    assert live.rows("SELECT id FROM doctors_slot WHERE hold_id = %s", old) == []
    live.mail(to=email, subject="Moved")


def statuses(live: Live, visit: str) -> list[str]:
    rows = live.rows("SELECT status FROM bookings_appointment WHERE id = %s", visit)
    return [row["status"] for row in rows]
