"""A secretary books somebody on the phone with the keyboard alone; the keys are counted."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.stack import DOCTOR, SECRETARY, Live
from tests.journeys.visitor import Visitor, visiting

MOST_KEYS = 8
NAMED_ONCE = """
    SELECT u.id, u.first_name, u.last_name, u.email FROM accounts_user u
    WHERE u.id IN (
        SELECT h.patient_id FROM bookings_hold h JOIN doctors_doctor d ON d.id = h.doctor_id
        JOIN accounts_user who ON who.id = d.user_id
        WHERE who.email = %s AND h.state = 'confirmed')
      AND u.email LIKE 'visitor-%%' AND length(u.last_name) > 6
      AND u.last_name NOT LIKE '%% %%'
    ORDER BY u.id LIMIT 1
"""
NEWEST = """
    SELECT v.patient_name, v.patient_id, u.email, u.phone FROM bookings_appointment v
    JOIN accounts_user u ON u.id = v.patient_id ORDER BY v.created_at DESC LIMIT 1
"""


@dataclass
class Keyboard:
    """What is typed of the caller counts as one: keys are those pressed besides."""

    page: Page
    pressed: int = 0

    def types(self, words: str) -> None:
        self.page.keyboard.type(words)

    def presses(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1

    def searches(self) -> None:
        """Enter in the search loads the page again, with the focus where it goes on."""
        with self.page.expect_navigation():
            self.presses("Enter")

    @property
    def stands_at(self) -> Any:
        return self.page.evaluate("document.activeElement.name")


def at_the_desk(secretary: Visitor) -> Keyboard:
    secretary.signs_in(SECRETARY, then="/schedule/")
    secretary.follow("Book a caller")
    keyboard = Keyboard(secretary.page)
    expect(secretary.page.get_by_label("Who is calling?").first).to_be_focused()
    return keyboard


def slot_chosen(page: Page) -> str:
    return str(page.locator("[name=slot]:checked + label time").get_attribute("datetime"))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_new_caller_is_booked_at_the_second_time_with_few_keys(
    live: Live, browser: Browser, scripts: bool
) -> None:
    first = "Quirine" if scripts else "Xander"
    with visiting(browser, live, java_script_enabled=scripts) as secretary:
        keyboard = at_the_desk(secretary)
        keyboard.types(f"{first} Zwanenburg 0201234567")
        keyboard.searches()
        assert keyboard.stands_at == "slot"
        keyboard.presses("ArrowDown", "Enter")
        secretary.sees_heading(f"{first} Zwanenburg")
        secretary.sees(re.compile("We have no way to write to this patient"))
        assert keyboard.pressed <= MOST_KEYS, keyboard.pressed
    visit = live.row(NEWEST)
    assert (visit["patient_name"], visit["email"]) == (f"{first} Zwanenburg", None)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_known_caller_is_found_with_a_slip_and_gets_a_mail(
    live: Live, browser: Browser, scripts: bool
) -> None:
    patient = live.row(NAMED_ONCE, DOCTOR)
    slip = patient["last_name"][:3] + patient["last_name"][4:]
    with visiting(browser, live, java_script_enabled=scripts) as secretary:
        keyboard = at_the_desk(secretary)
        keyboard.types(f"{patient['first_name']} {slip}")
        keyboard.searches()
        assert keyboard.stands_at == "caller"  # after a slip, nobody is chosen yet
        keyboard.presses("Space", "Tab", "Tab")
        before = slot_chosen(secretary.page)
        keyboard.presses("ArrowDown", "ArrowDown", "ArrowDown")
        assert slot_chosen(secretary.page) > before
        keyboard.presses("Enter")
        secretary.sees(re.compile("The patient gets a mail"))
        assert keyboard.pressed <= MOST_KEYS, keyboard.pressed
    visit = live.row(NEWEST)
    mail = live.mail(to=visit["email"], subject="Confirmed: ")
    assert "has booked this visit for you." in mail["text"]


def test_callers_appear_as_one_types(live: Live, browser: Browser) -> None:
    patient = live.row(NAMED_ONCE, DOCTOR)
    with visiting(browser, live) as secretary:
        keyboard = at_the_desk(secretary)
        keyboard.types(patient["last_name"][:5])
        callers = secretary.page.locator("[name=caller]:not([value=new])")
        expect(callers.first).to_be_visible()
        keyboard.types(patient["last_name"][5:])
        searched = secretary.page.locator("#callers [name=words]")
        expect(searched).to_have_value(patient["last_name"])
        secretary.sees(f"{patient['first_name']} {patient['last_name']}")
        assert keyboard.stands_at == "words"
        # Another visit swaps the times, and the caller stays chosen.
        callers.first.check()
        chosen = callers.first.get_attribute("value")
        shown = secretary.page.locator("[name=shown_for]").get_attribute("value")
        secretary.page.locator("[name=visit_type]").nth(1).check()
        expect(secretary.page.locator("[name=shown_for]")).not_to_have_value(str(shown))
        expect(secretary.page.locator("[name=caller]:checked")).to_have_value(str(chosen))
        assert secretary.page.url.partition("?")[2] in ("", "doctor=1")
