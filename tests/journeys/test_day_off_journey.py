"""A booked day off: a secretary has its visits moved, handed over and cancelled."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.stack import SECRETARY, Live, eventually
from tests.journeys.test_every_page import SCREENS, findings, overflow, without_sheet
from tests.journeys.visitor import Visitor, visiting

# Other journeys take the hours of the last two doctors away. A doctor with a secretary has had a
# journey before, and its visits still wait for a decision.
BUSY_DAY = """
    SELECT v.doctor_id, (v.starts_at AT TIME ZONE v.time_zone)::date::text AS day
    FROM bookings_appointment v JOIN doctors_doctor d ON d.id = v.doctor_id
    WHERE d.user_id IS NULL AND d.id NOT IN (
        SELECT id FROM doctors_doctor WHERE user_id IS NULL ORDER BY id DESC LIMIT 2)
      AND d.id NOT IN (SELECT doctor_id FROM doctors_secretaryassignment)
      AND v.status = 'confirmed' AND v.starts_at > now() + interval '2 days'
    GROUP BY 1, 2 HAVING count(*) >= 3 ORDER BY 2, 1 LIMIT 1
"""
VISITS = """
    SELECT v.id, v.status, v.patient_name, coalesce(nullif(h.email, ''), p.email) AS email
    FROM bookings_appointment v JOIN bookings_hold h ON h.id = v.id
    JOIN accounts_user p ON p.id = v.patient_id
    WHERE v.doctor_id = %s AND (v.starts_at AT TIME ZONE v.time_zone)::date = %s
      AND v.status = 'confirmed' ORDER BY v.starts_at, v.id
"""
RUNS_THEM = """
    INSERT INTO doctors_secretaryassignment (secretary_id, doctor_id)
    SELECT id, %s FROM accounts_user WHERE email = %s ON CONFLICT DO NOTHING RETURNING id
"""
COLLEAGUE = """
    INSERT INTO doctors_doctor (user_id, slug, name, languages, specialty_id, clinic_id, about,
        slot_minutes, min_notice_minutes, horizon_days, change_notice_minutes, is_active,
        created_at)
    SELECT (SELECT id FROM accounts_user WHERE email = %s), slug || '-' || %s, 'Dr Colleague',
        languages, specialty_id, clinic_id, about, slot_minutes, min_notice_minutes, horizon_days,
        change_notice_minutes, true, now()
    FROM doctors_doctor WHERE id = %s RETURNING id
"""
SAME_VISIT_TYPES = """
    INSERT INTO doctors_visittype (doctor_id, name, slots, buffer_slots, mode, price_cents,
        currency, position, is_active)
    SELECT %s, name, slots, 0, mode, price_cents, currency, position, true
    FROM doctors_visittype WHERE doctor_id = %s RETURNING id
"""
SAME_SLOTS = """
    INSERT INTO doctors_slot (doctor_id, clinic_id, mode, starts_at, ends_at, state)
    SELECT %s, s.clinic_id, s.mode, s.starts_at, s.ends_at, 'open'
    FROM doctors_slot s JOIN doctors_clinic c ON c.id = s.clinic_id
    WHERE s.doctor_id = %s AND (s.starts_at AT TIME ZONE c.time_zone)::date = %s RETURNING id
"""


def has_a_colleague(live: Live, doctor: int, day: str, *, number: int) -> None:
    """With the same visit types, and free all that day. No other journey takes doctors who can sign
    in.
    """
    login = f"patient-{60 + number}@demo.docbook.test"
    colleague = live.row(COLLEAGUE, login, day, doctor)["id"]
    live.rows(SAME_VISIT_TYPES, colleague, doctor)
    live.rows(SAME_SLOTS, colleague, doctor, day)


def has_a_busy_day(live: Live, *, number: int) -> tuple[int, str, list[dict[str, Any]]]:
    """A doctor of the demo's secretary, a day, and its visits; each `number` has its colleague."""
    busy = live.row(BUSY_DAY)
    doctor, day = busy["doctor_id"], busy["day"]
    live.rows(RUNS_THEM, doctor, SECRETARY)
    has_a_colleague(live, doctor, day, number=number)
    return doctor, day, live.rows(VISITS, doctor, day)


def takes_the_day_off(secretary: Visitor, *, doctor: int, day: str) -> None:
    secretary.signs_in(SECRETARY, then="/schedule/")
    secretary.go(f"/schedule/availability/time-off/?doctor={doctor}")
    secretary.page.get_by_label("Time off", exact=True).check(force=True)
    secretary.fill(First_day=day, Last_day=day)
    secretary.press("Add these days")
    secretary.sees_heading("Visits outside the hours")


def ticks(secretary: Visitor, visit: dict[str, Any]) -> None:
    for box in secretary.page.locator("input[name=visits]").all():
        box.set_checked(box.get_attribute("value") == str(visit["id"]))


def decides(secretary: Visitor, choice: str) -> None:
    secretary.page.get_by_role("radio", name=re.compile(f"^{choice}")).check()
    secretary.page.get_by_label("Why?").fill("Dr is ill")
    secretary.press("Do this with the ticked visits")
    secretary.sees_heading("What became of the visits")


def sees_it_done(secretary: Visitor, text: str | re.Pattern[str], *, scripts: bool) -> None:
    """With scripts the page comes by itself; without, somebody asks for it."""
    if scripts:
        secretary.sees(text)
        return

    def is_done() -> bool:
        secretary.page.reload()
        return secretary.page.get_by_role("main").get_by_text(text).count() > 0

    eventually(is_done, what=str(text))


def status_of(live: Live, visit: dict[str, Any]) -> str:
    row = live.row("SELECT status FROM bookings_appointment WHERE id = %s", visit["id"])
    return str(row["status"])


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_booked_day_off_whose_visits_are_moved_handed_over_and_cancelled(
    live: Live, browser: Browser, scripts: bool
) -> None:
    doctor, day, visits = has_a_busy_day(live, number=int(scripts))
    with visiting(browser, live, java_script_enabled=scripts) as secretary:
        takes_the_day_off(secretary, doctor=doctor, day=day)
        expect(secretary.page.locator("input[name=visits]:checked")).to_have_count(len(visits))

        ticks(secretary, visits[0])
        decides(secretary, "Offer other times")
        sees_it_done(secretary, re.compile("Other times are held"), scripts=scripts)
        offer = secretary.page.url
        assert status_of(live, visits[0]) == "confirmed"

        secretary.follow("Visits outside the hours")
        ticks(secretary, visits[1])
        secretary.page.get_by_label("Colleague who takes them over").select_option(index=1)
        decides(secretary, "Hand over")
        sees_it_done(secretary, "Now with Dr Colleague. The patient is told.", scripts=scripts)
        assert status_of(live, visits[1]) == "rescheduled"

        secretary.follow("Visits outside the hours")
        decides(secretary, "Cancel")
        sees_it_done(secretary, "Cancelled. The patient is told.", scripts=scripts)
        assert {status_of(live, visit) for visit in visits[2:]} == {"cancelled"}

        mail = live.mail(to=visits[0]["email"], subject="Please choose another time")
        assert live.mail(to=visits[1]["email"], subject="Dr Colleague instead of")
        assert live.mail(to=visits[2]["email"], subject="Cancelled")
        with visiting(browser, live, java_script_enabled=scripts) as patient:
            (link,) = set(re.findall(r"http\S+(/appointments/other-times/\S+)", mail["text"]))
            patient.go(link)
            patient.sees_heading("Please choose another time")
            patient.page.locator("main form button").first.click()
            patient.sees_heading("Your visit has moved")
        assert status_of(live, visits[0]) == "rescheduled"
        secretary.page.goto(offer)
        secretary.sees(re.compile("Moved to "))
        secretary.follow("Visits outside the hours")
        secretary.sees_heading("Nothing to decide")


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_of_a_decision_are_accessible_and_fit(
    live: Live, browser: Browser, screen: str
) -> None:
    doctor, day, visits = has_a_busy_day(live, number=2 + list(SCREENS).index(screen))
    how: dict[str, Any] = {"bypass_csp": True, "reduced_motion": "reduce"}
    found: dict[str, list[str]] = {}
    with visiting(browser, live, **how, **SCREENS[screen]) as visitor:

        def looks(stop: str) -> None:
            page = visitor.page
            found[stop] = overflow(page) + without_sheet(page) + findings(page)

        takes_the_day_off(visitor, doctor=doctor, day=day)
        looks("visits")
        visitor.press("Do this with the ticked visits")
        visitor.sees("Say why: the patients are told.")
        looks("no reason")
        ticks(visitor, visits[0])
        decides(visitor, "Offer other times")
        sees_it_done(visitor, re.compile("Other times are held"), scripts=True)
        looks("decision")
        mail = live.mail(to=visits[0]["email"], subject="Please choose another time")
        visitor.go(re.findall(r"http\S+(/appointments/other-times/\S+)", mail["text"])[0])
        visitor.sees_heading("Please choose another time")
        looks("other times")
    assert {stop: problems for stop, problems in found.items() if problems} == {}
