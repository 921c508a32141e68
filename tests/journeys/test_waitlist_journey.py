"""From waiting to a visit: a time is given back, and the mail's link takes it or lets it go."""

import re
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from tests.journeys.stack import PASSWORD, Live
from tests.journeys.visitor import Visitor, other_doctors, visiting


class App:
    """A mobile app: the API with somebody's token."""

    def __init__(self, visitor: Visitor, *, email: str) -> None:
        self.http, self.url = visitor.page.request, f"{visitor.live.url}/api/v1/"
        body = {"email": email, "password": PASSWORD}
        token = self.http.post(f"{self.url}auth/token", data=body).json()["access"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return self.http.get(f"{self.url}{path}", headers=self.headers).json()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = self.headers | {"Idempotency-Key": str(uuid4())}
        answer = self.http.post(f"{self.url}{path}", data=body, headers=headers)
        assert answer.status in {200, 201}, answer.text()
        return dict(answer.json())

    def delete(self, path: str) -> None:
        assert self.http.delete(f"{self.url}{path}", headers=self.headers).status == 204


def is_offered_a_time(visitor: Visitor, *, doctor: str, email: str, by: str) -> tuple[str, str]:
    """Joins the waitlist for a time that somebody holds and then gives back. Returns the link in
    the mail without its host, and the id of the entry.
    """
    person, somebody = App(visitor, email=email), App(visitor, email=by)
    slug = doctor.strip("/").rpartition("/")[2]
    found = visitor.live.row("SELECT id FROM doctors_doctor WHERE slug = %s", slug)
    shown = person.get(f"doctors/{found['id']}")
    visit_type = shown["visitTypes"][0]["id"]
    day = shown["nextFreeAt"][:10]
    times = person.get(f"doctors/{found['id']}/slots?date={day}&visit_type={visit_type}")
    time = times["items"][-1]
    kept = somebody.post("bookings", {"slotId": time["slotId"], "visitTypeId": visit_type})
    entry = person.post(
        "waitlist",
        {
            "doctorId": found["id"],
            "visitTypeId": visit_type,
            "from": day,
            "until": day,
            "dayFrom": f"{datetime.fromisoformat(time['startsAt']):%H:%M}",
        },
    )
    somebody.delete(f"bookings/{kept['attemptId']}")
    mail = visitor.live.mail(to=email, subject="Held for you until")
    (link,) = set(re.findall(r"http\S+(/waitlist/offers/\S+)", mail["text"]))
    return link, entry["id"]


def state_of(live: Live, entry: str) -> str:
    row = live.row("SELECT state FROM bookings_waitlistentry WHERE id = %s", entry)
    return str(row["state"])


@pytest.mark.parametrize(
    ("scripts", "who"), [(True, 21), (False, 22)], ids=["with scripts", "without scripts"]
)
def test_patient_who_waited_takes_the_time_by_the_link(
    live: Live, browser: Browser, scripts: bool, who: int
) -> None:
    email = f"patient-{who}@demo.docbook.test"
    with visiting(browser, live, java_script_enabled=scripts) as patient:
        link, entry = is_offered_a_time(
            patient,
            doctor=other_doctors(live)[1],
            email=email,
            by="patient-25@demo.docbook.test",
        )
        patient.go(link)
        patient.sees_heading("A time is held for you")
        patient.press("Take this time")
        patient.sees_heading("This time is yours")
        hold = live.row("SELECT id FROM bookings_hold WHERE waitlist_entry_id = %s", entry)
        visit = live.row("SELECT status FROM bookings_appointment WHERE id = %s", hold["id"])
        slots = live.rows("SELECT state FROM doctors_slot WHERE hold_id = %s", hold["id"])
        assert (visit["status"], {slot["state"] for slot in slots}) == ("confirmed", {"booked"})
        assert live.mail(to=email, subject="Confirmed")
        assert state_of(live, entry) == "fulfilled"


def test_patient_who_lets_the_time_go_stays_on_the_list(live: Live, browser: Browser) -> None:
    with visiting(browser, live) as patient:
        link, entry = is_offered_a_time(
            patient,
            doctor=other_doctors(live)[2],
            email="patient-23@demo.docbook.test",
            by="patient-26@demo.docbook.test",
        )
        patient.go(link)
        patient.press("No, thank you")
        patient.sees_heading("You let this time go")
        patient.sees("You are still on the list.")
        assert state_of(live, entry) == "waiting"
