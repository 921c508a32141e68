"""A secretary runs a day: who came, who did not, a slip that is undone, and a note."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.stack import DOCTOR, SECRETARY, Live
from tests.journeys.visitor import visiting

VISITS = """
    SELECT v.id, v.patient_name, (v.starts_at AT TIME ZONE v.time_zone)::date AS day
    FROM bookings_appointment v JOIN doctors_doctor d ON d.id = v.doctor_id
    JOIN accounts_user u ON u.id = d.user_id
    WHERE u.email = %s AND v.status = 'confirmed' AND v.starts_at > now() + interval '2 days'
    ORDER BY v.starts_at, v.id OFFSET %s LIMIT 1
"""


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_secretary_says_who_came_undoes_a_slip_and_notes_something(
    live: Live, browser: Browser, scripts: bool
) -> None:
    visit = live.row(VISITS, DOCTOR, 5 + int(scripts))

    def status() -> str:
        sql = "SELECT status FROM bookings_appointment WHERE id = %s"
        return str(live.row(sql, visit["id"])["status"])

    with visiting(browser, live, java_script_enabled=scripts) as secretary:
        secretary.signs_in(SECRETARY, then="/schedule/")
        secretary.go(f"/schedule/?date={visit['day']}")
        entry = secretary.page.locator(f"#visit-{visit['id']} details")
        entry.locator("summary").click()
        for button, after in (
            ("Did not come", "no_show"),
            ("Undo", "confirmed"),
            ("Arrived", "arrived"),
            ("Visit done", "completed"),
        ):
            entry.get_by_role("button", name=re.compile(f"^{button}")).click()
            # Back on the day, where the visit is still open.
            expect(entry).to_have_class(re.compile(f"entry-{after}"))
            expect(entry).to_have_attribute("open", "")
            assert status() == after
        entry.get_by_role("link", name=re.compile("^Note")).click()
        secretary.sees_heading(visit["patient_name"])
        secretary.sees(re.compile("Marked “done” by "))
        secretary.page.get_by_label("Private note").fill("Send the result by post")
        secretary.press("Save note")
        secretary.sees("The note is saved.")
        expect(secretary.page.get_by_label("Private note")).to_have_value("Send the result by post")


def test_visit_of_a_stranger_cannot_be_found(live: Live, browser: Browser) -> None:
    sql = """
        SELECT v.id FROM bookings_appointment v
        WHERE v.doctor_id NOT IN (
            SELECT s.doctor_id FROM doctors_secretaryassignment s
            JOIN accounts_user u ON u.id = s.secretary_id WHERE u.email = %s
        ) ORDER BY v.id LIMIT 1
    """
    visit = live.row(sql, SECRETARY)
    with visiting(browser, live) as secretary:
        secretary.signs_in(SECRETARY, then="/schedule/")
        answer = secretary.page.goto(f"{live.url}/schedule/visits/{visit['id']}/")
        assert answer is not None
        assert answer.status == 404
