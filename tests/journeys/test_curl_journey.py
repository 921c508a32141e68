"""From nothing to a confirmed appointment with nothing but curl, as a mobile app would."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from tests.journeys.outcomes import assert_booked
from tests.journeys.stack import DOCTOR, OTHER_PATIENT, PASSWORD, SECRETARY, Live


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


Call = Callable[..., Answer]


@pytest.fixture
def call(live: Live, curl: str, tmp_path: Path) -> Call:
    """`call("POST", "bookings", {...}, token=…, key=…)` runs one curl."""

    def run(method: str, path: str, body: Any = None, *, token: str = "", key: str = "") -> Answer:
        command = [curl, "--silent", "--show-error", "--max-time", "15", "--request", method]
        command += ["--dump-header", str(tmp_path / "headers"), f"{live.url}/api/v1/{path}"]
        if token:
            command += ["--header", f"Authorization: Bearer {token}"]
        if key:
            command += ["--header", f"Idempotency-Key: {key}"]
        if body is not None:
            command += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        status, *lines = (tmp_path / "headers").read_text().strip().splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return Answer(int(status.split()[1]), headers, done.stdout)

    return run


def token_of(call: Call, email: str) -> str:
    answer = call("POST", "auth/token", {"email": email, "password": PASSWORD})
    assert answer.status == 200, answer.text
    return str(answer.json["access"])


def first_free(call: Call, doctor: dict[str, Any], visit_type: int) -> dict[str, Any]:
    """The doctor's first free time from tomorrow on."""
    zone = ZoneInfo(doctor["clinic"]["timeZone"])
    for days in range(1, 14):
        day = datetime.now(zone).date() + timedelta(days=days)
        query = f"doctors/{doctor['id']}/slots?date={day}&visit_type={visit_type}&limit=1"
        if items := call("GET", query).json["items"]:
            return dict(items[0])
    raise AssertionError("The demo doctor has no free time.")


def test_patient_books_by_curl_and_the_doctor_sees_the_visit(live: Live, call: Call) -> None:
    patient = token_of(call, OTHER_PATIENT)
    assert call("GET", "me", token=patient).json["email"] == OTHER_PATIENT
    doctor = call("GET", "doctors?q=emma&specialty=dermatology&city=utrecht").json["items"][0]
    visit_type = doctor["visitTypes"][0]["id"]
    time = first_free(call, doctor, visit_type)
    body = {"slotId": time["slotId"], "visitTypeId": visit_type, "reason": "By curl"}
    key = str(uuid4())

    held = call("POST", "bookings", body, token=patient, key=key)
    assert held.status == 201, held.text
    attempt = held.json["attemptId"]
    assert held.headers["location"] == f"{live.url}/api/v1/bookings/{attempt}"
    retried = call("POST", "bookings", body, token=patient, key=key)
    assert (retried.status, retried.text) == (201, held.text)
    assert retried.headers["idempotent-replayed"] == "true"

    code = live.code(to=OTHER_PATIENT)
    wrong = {"code": f"{(int(code) + 1) % 10**6:06d}"}
    refused = call("POST", f"bookings/{attempt}/verify-otp", wrong, token=patient)
    assert (refused.status, refused.json["code"]) == (422, "otp-invalid")
    confirmed = call("POST", f"bookings/{attempt}/verify-otp", {"code": code}, token=patient)
    assert confirmed.status == 200, confirmed.text
    assert confirmed.json["id"] == attempt
    assert confirmed.json["startsAt"] == time["startsAt"]

    secretary, day = token_of(call, SECRETARY), time["startsAt"][:10]
    path = f"doctors/{doctor['id']}/appointments?date={day}&limit=100"
    for reader in (token_of(call, DOCTOR), secretary):
        seen = call("GET", path, token=reader).json["items"]
        assert attempt in [item["id"] for item in seen]
    assert call("GET", path, token=patient).status == 404
    assert call("GET", f"bookings/{attempt}", token=secretary).status == 404
    free = call("GET", f"doctors/{doctor['id']}/slots?date={day}&limit=100").json["items"]
    assert time["slotId"] not in [item["slotId"] for item in free]
    assert_booked(live, attempt, to=OTHER_PATIENT)
    row = live.row("SELECT starts_at FROM bookings_appointment WHERE id = %s", attempt)
    assert row["starts_at"] == datetime.fromisoformat(time["startsAt"])
