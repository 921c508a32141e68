"""The walks listed in CONTRIBUTING are the ones that really happen.

`make journeys` writes them again.
"""

import json
import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from bookings import tasks
from bookings.engine.links import offer_token
from bookings.models import Appointment, Hold
from tests.api.client import Api
from tests.bookings.acts import as_patient, attempt, book, bookable, code_of
from tests.bookings.receiving import receive
from tests.bookings.waitlist.acts import awaited, in_daylight, in_line
from tests.design.walk import Places, Walk, followed
from tests.factories import (
    make_appointment,
    make_doctor,
    make_patient,
    make_slots,
    tomorrow_at,
)
from tests.pages.browser import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(settings.BASE_DIR) / "CONTRIBUTING.md"
BEGIN, END = "<!-- journeys: written by `make journeys` -->\n", "<!-- end of journeys -->\n"

Acts = list[tuple[str, Walk]]


def test_contributing_lists_the_walks_that_really_happen() -> None:
    before, _begin, rest = PAGE.read_text().partition(BEGIN)
    listed, end, after = rest.partition(END)
    assert end, "CONTRIBUTING has no place for the walks."
    walked = walks()
    if os.environ.get("WRITE_JOURNEYS"):
        PAGE.write_text(f"{before}{BEGIN}{walked}{END}{after}")
    else:
        assert listed == walked, "The walks have changed: look at them, then `make journeys`."


def walks() -> str:
    """All journeys, each a second time: the first one fills caches."""
    patient, guest = _twice(lambda: by_page(make_patient())), _twice(lambda: by_page(None))
    journeys = [
        _journey("A booking by page", patient),
        _journey("The last of these three acts: to confirm", patient[2:]),
        _further("A guest's first booking by page", guest, than=patient),
        _journey("A booking by API", _twice(by_api)),
        _journey("To cancel by page", _twice(cancelling_by_page)),
        _journey("To cancel by API", _twice(cancelling_by_api)),
        _journey("An offer of the waitlist", _twice(offering)),
        _journey("A reminder", _twice(reminding)),
    ]
    return "\n".join(journeys)


def by_page(patient: object) -> Acts:
    browser = signed_in(patient)
    visit_type, slots = bookable()
    tap = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    details = {
        "first_name": "Saskia",
        "last_name": "Kuipers",
        "email": f"saskia-{uuid4().hex}@example.test",
        "phone": "+31 6 5550 1234",
        "reason": "A rash",
    }
    acts = [("tap", _pressed(browser, "/book/", tap))]
    hold = Hold.objects.latest("created_at")
    browser.get(f"/book/{hold.pk}/")
    acts.append(("details", _pressed(browser, f"/book/{hold.pk}/", details)))
    browser.get(f"/book/{hold.pk}/code/")
    code = {"code": code_of(hold), "seen": hold.digest}
    acts.append(("code", _pressed(browser, f"/book/{hold.pk}/code/", code)))
    assert Appointment.objects.filter(pk=hold.pk).exists()
    return acts


def by_api() -> Acts:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    body = {"slotId": slots[0].pk, "visitTypeId": visit_type.pk}
    acts = [("hold", _called(api, "post", "bookings", body, {"Idempotency-Key": str(uuid4())}))]
    hold = Hold.objects.latest("created_at")
    code = {"code": code_of(hold)}
    acts.append(("confirm", _called(api, "post", f"bookings/{hold.pk}/verify-otp", code, {})))
    return acts


def cancelling_by_page() -> Acts:
    visit = booked()
    browser = signed_in(visit.patient)
    answer = {"version": visit.version, "reason": "I am better"}
    return [("cancel", _pressed(browser, f"/appointments/{visit.pk}/cancel/", answer))]


def cancelling_by_api() -> Acts:
    visit = booked()
    path, version = f"bookings/{visit.pk}/cancel", {"If-Match": f'"{visit.version}"'}
    return [("cancel", _called(Api(visit.patient), "patch", path, {}, version))]


def offering() -> Acts:
    visit_type, slots = awaited()
    in_line(visit_type, count=1)
    holder = as_patient(make_patient())
    given_back = attempt(slots[0], visit_type=visit_type, holder=holder)
    browser = signed_in(holder.patient)
    acts = [("give back", _pressed(browser, f"/book/{given_back.pk}/release/", {}))]
    with time_machine.travel(in_daylight()):
        acts.append(("offer", _worked(lambda: receive("slot.released"))))
    acts.append(("mail", _worked(lambda: receive("waitlist.offered"))))
    offer = Hold.objects.exclude(waitlist_entry=None).latest("created_at")
    link = f"/waitlist/offers/{offer_token(offer)}/accept/"
    return [*acts, ("accept", _pressed(Client(), link, {}))]


def reminding() -> Acts:
    visit = make_appointment(slots=make_slots(doctor=make_doctor(), starts_at=tomorrow_at(10)))
    long_ago = visit.starts_at - timedelta(days=9)
    Appointment.objects.filter(pk=visit.pk).update(created_at=long_ago)
    with time_machine.travel(visit.starts_at - timedelta(hours=3)):
        due = _worked(tasks.publish_due_reminders)
        return [("due", due), ("mail", _worked(lambda: receive("appointment.reminder")))]


@pytest.fixture(autouse=True)
def _reminders(settings) -> None:
    settings.REMINDER_HOURS = [24]


def booked() -> Appointment:
    visit_type, slots = bookable()
    return book(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))


def _pressed(browser: Client, path: str, data: dict[str, object]) -> Walk:
    with followed() as walk:
        answer = browser.post(path, data)
    assert answer.status_code == 302, answer.content
    return walk


def _called(api: Api, method: str, path: str, body: object, headers: dict[str, str]) -> Walk:
    call = getattr(api.client, method)
    with followed() as walk:
        answer = call(
            f"/api/v1/{path}",
            json.dumps(body),
            content_type="application/json",
            headers=api.headers | headers,
        )
    assert answer.status_code in (200, 201), answer.content
    return walk


def _worked(work: Callable[[], object]) -> Walk:
    with followed(begins="steps") as walk:
        work()
    assert walk.steps
    return walk


def _twice(journey: Callable[[], Acts]) -> Acts:
    journey()
    return journey()


def _journey(title: str, acts: Acts) -> str:
    whole = _whole(acts)
    parts = f" ({'; '.join(f'{name} {_size(each)}' for name, each in acts)})" if acts[1:] else ""
    return f"**{title}: {_size(whole)}**{parts}\n\n{_lines(whole.steps)}\n{_beside(whole)}\n"


def _further(title: str, acts: Acts, *, than: Acts) -> str:
    known, whole = _whole(than).steps, _whole(acts).steps
    new = {
        path: [each for each in functions if each not in known.get(path, [])]
        for path, functions in whole.items()
    }
    new = {path: functions for path, functions in new.items() if functions}
    return f"**{title}: {_size(_whole(acts))}**, and of these are new:\n\n{_lines(new)}\n"


def _whole(acts: Acts) -> Walk:
    return sum((walk for _name, walk in acts), Walk())


def _size(walk: Walk) -> str:
    functions, files = sum(map(len, walk.steps.values())), len(walk.steps)
    return f"{functions} functions in {files} files"


def _lines(places: Places) -> str:
    return "".join(f"- `{path}`: {_named(names)}\n" for path, names in places.items())


def _beside(walk: Walk) -> str:
    library = [name for names in walk.library.values() for name in names]
    return f"Calls of docbook/: {_named(sorted(library))}.\n"


def _named(functions: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in functions)
