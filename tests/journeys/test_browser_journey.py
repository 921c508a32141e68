"""From the first page to a confirmed appointment in a real browser, with scripts and without."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from playwright.sync_api import Browser, expect

from tests.journeys.outcomes import assert_booked
from tests.journeys.stack import DOCTOR, PATIENT, Live
from tests.journeys.visitor import Visitor, doctor_of_the_demo, other_doctors, visiting


def finds_the_demo_doctor(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.page.get_by_label("What do you need?").select_option(label="Dermatology")
    visitor.page.get_by_label("Where?").select_option(label="Utrecht")
    visitor.press("See free times")
    visitor.sees_heading(re.compile("Dermatology in Utrecht"))
    visitor.follow("Dr Emma Visser", exact=True)
    visitor.sees_heading("Dr Emma Visser")


def holds_a_time(visitor: Visitor, *, number: int = 0) -> str:
    """Taps on a free time; the id of the attempt."""
    visitor.times().nth(number).click()
    visitor.page.wait_for_url(re.compile(r"/book/[0-9a-f-]{36}/$"))
    visitor.sees_heading("Who is coming?")
    return visitor.page.url.rstrip("/").rpartition("/")[2]


def asks_for_the_code(visitor: Visitor, **details: str) -> None:
    visitor.fill(**details)
    visitor.press("Send me the code")
    visitor.sees_heading("Enter the code from your e-mail")


def confirms(visitor: Visitor, code: str) -> None:
    visitor.page.get_by_label("Six-digit code").fill(code)
    visitor.press("Confirm booking")
    visitor.sees_heading(re.compile("^See you on"))
    visitor.sees("Your appointment is confirmed")


def day_of(live: Live, attempt: str) -> str:
    row = live.row(
        "SELECT starts_at, clinic.time_zone FROM bookings_appointment AS visit"
        " JOIN doctors_clinic AS clinic ON clinic.id = visit.clinic_id WHERE visit.id = %s",
        attempt,
    )
    return f"{row['starts_at'].astimezone(ZoneInfo(row['time_zone'])):%Y-%m-%d}"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_guest_books_and_the_doctor_sees_the_visit(
    live: Live, browser: Browser, tmp_path: Path, scripts: bool
) -> None:
    email = f"guest.{scripts}@example.test".lower()
    with visiting(browser, live, java_script_enabled=scripts) as guest:
        finds_the_demo_doctor(guest)
        guest.picks_a_day()
        attempt = holds_a_time(guest)
        details = {"First_name": "Gesa", "Last_name": f"Scripts {scripts}", "E_mail": email}
        asks_for_the_code(guest, **details)
        confirms(guest, live.code(to=email))
        with guest.page.expect_download() as download:
            guest.follow(re.compile(r"Calendar file"))
        download.value.save_as(tmp_path / "visit.ics")
    (event,) = Calendar.from_ical((tmp_path / "visit.ics").read_bytes()).walk("VEVENT")
    assert event["UID"] == f"{attempt}@docbook"
    assert_booked(live, attempt, to=email)
    with visiting(browser, live, java_script_enabled=scripts) as doctor:
        doctor.signs_in(DOCTOR, then="/schedule/")
        doctor.go(f"/schedule/?date={day_of(live, attempt)}")
        doctor.sees(f"Gesa Scripts {scripts}")


def test_patient_books_without_typing_an_address(live: Live, browser: Browser) -> None:
    with visiting(browser, live) as patient:
        patient.signs_in(PATIENT)
        patient.go(other_doctors(live)[0])
        patient.picks_a_day()
        attempt = holds_a_time(patient)
        expect(patient.page.get_by_label("First name")).not_to_have_value("")
        expect(patient.page.get_by_label("E-mail")).to_have_count(0)
        patient.sees(PATIENT)
        sent = len([mail for mail in live.mails(to=PATIENT) if "code" in mail["subject"]])
        asks_for_the_code(patient)
        confirms(patient, live.code(to=PATIENT, count=sent + 1))
        patient.go("/appointments/")
        expect(patient.page.locator(f'a[href="/appointments/{attempt}/"]')).to_be_visible()
    row = live.row("SELECT status FROM bookings_appointment WHERE id = %s", attempt)
    assert row["status"] == "confirmed"


def test_wrong_code_and_new_code_on_the_way(live: Live, browser: Browser) -> None:
    email = "clumsy@example.test"
    with visiting(browser, live) as guest:
        guest.go(other_doctors(live)[1])
        guest.picks_a_day()
        attempt = holds_a_time(guest)
        guest.fill(First_name="Clumsy", Last_name="Typist", E_mail="no address")
        guest.press("Send me the code")
        expect(guest.page.get_by_label("First name")).to_have_value("Clumsy")
        expect(guest.page.get_by_label("E-mail")).to_have_value("no address")
        expect(guest.page.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
        asks_for_the_code(guest, E_mail=email)
        code = live.code(to=email)
        guest.page.get_by_label("Six-digit code").fill(f"{(int(code) + 1) % 10**6:06d}")
        guest.press("Confirm booking")
        guest.sees("That is not the code we sent. 4 tries left.")
        guest.page.reload()
        guest.sees("That is not the code we sent. 4 tries left.")
        expect(guest.page.get_by_label("Six-digit code")).to_be_focused()
        guest.page.keyboard.type("12345")
        guest.press("Confirm booking")
        guest.sees("Enter the whole code as we sent it.")
        guest.page.keyboard.type(f"{code[:3]} {code[3:]}")
        guest.press("Confirm booking")
        guest.sees_heading(re.compile("^See you on"))
    assert live.row("SELECT otp_attempts FROM bookings_hold WHERE id = %s", attempt) == {
        "otp_attempts": 1
    }


def test_code_is_typed_on_a_phone_before_what_is_booked(live: Live, browser: Browser) -> None:
    with visiting(browser, live, viewport={"width": 390, "height": 844}) as guest:
        guest.go(other_doctors(live)[6])
        guest.picks_a_day()
        holds_a_time(guest)
        asks_for_the_code(guest, First_name="Thumb", Last_name="Typist", E_mail="t@example.test")
        field = guest.page.get_by_label("Six-digit code").bounding_box()
        ticket = guest.page.locator(".ticket-line").bounding_box()
        assert field
        assert ticket
        assert field["y"] < 844 / 2 < ticket["y"]


def test_time_that_one_keeps_is_on_hold_for_the_other_until_it_is_given_back(
    live: Live, browser: Browser
) -> None:
    doctor = other_doctors(live)[2]
    with visiting(browser, live) as first, visiting(browser, live) as second:
        for visitor in (first, second):
            visitor.go(doctor)
            visitor.picks_a_day()
        clock = second.times().first.inner_text()
        holds_a_time(first)

        second.times().first.click()
        second.sees(re.compile(rf"Somebody is confirming \w+ \d+ \w+, {clock}\."))
        expect(second.page.get_by_role("alert")).to_contain_text("Still free:")
        second.sees("on hold")

        first.go(doctor)
        first.picks_a_day()
        first.follow(f"{clock} yours")
        first.press("Give this time back")
        first.sees("The time is free again")
        second.go(doctor)
        second.picks_a_day()
        expect(second.times().first).to_have_text(clock)
        holds_a_time(second)


def test_loser_of_a_race_is_told_so_and_goes_on_with_another_time(
    live: Live, browser: Browser
) -> None:
    doctor, email = other_doctors(live)[3], "winner@example.test"
    with visiting(browser, live) as winner, visiting(browser, live) as loser:
        for visitor in (winner, loser):
            visitor.go(doctor)
            visitor.picks_a_day()
        clock = loser.times().first.inner_text()[:5]
        holds_a_time(winner)
        asks_for_the_code(winner, First_name="Win", Last_name="Ner", E_mail=email)
        confirms(winner, live.code(to=email))

        loser.times().first.click()
        loser.sees(f"{clock} was just taken by somebody else.")
        loser.sees("just taken")
        expect(loser.page).to_have_url(re.compile(rf"{doctor}\?visit_type=\d+&date=[\d-]+$"))
        alert = loser.page.get_by_role("alert")
        alert.get_by_role("button", name=re.compile("^Hold")).first.click()
        loser.sees_heading("Who is coming?")


def test_countdown_runs_and_says_until_when(live: Live, browser: Browser) -> None:
    with visiting(browser, live) as guest:
        guest.go(other_doctors(live)[4])
        guest.picks_a_day()
        attempt = holds_a_time(guest)
        row = live.row(
            "SELECT expires_at, clinic.time_zone FROM bookings_hold AS hold"
            " JOIN doctors_clinic AS clinic ON clinic.id = hold.clinic_id WHERE hold.id = %s",
            attempt,
        )
        until: datetime = row["expires_at"].astimezone(ZoneInfo(row["time_zone"]))
        guest.sees(f"Held for you until {until:%H:%M}")
        clock = guest.page.get_by_text(re.compile(r"^4:\d\d$")).first
        before = clock.inner_text()
        expect(clock).not_to_have_text(before)


def test_back_button_after_the_booking_leads_to_the_appointment(
    live: Live, browser: Browser
) -> None:
    """And to no second booking, nor to a page that somebody else could read afterwards."""
    email = "walker@example.test"
    with visiting(browser, live) as guest:
        guest.go(doctor_of_the_demo(live))
        guest.picks_a_day()
        attempt = holds_a_time(guest)
        asks_for_the_code(guest, First_name="Back", Last_name="Walker", E_mail=email)
        confirms(guest, live.code(to=email))
        guest.page.go_back()
        guest.page.wait_for_url(re.compile(rf"/appointments/{attempt}/"))
