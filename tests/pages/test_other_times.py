"""The link with which a patient chooses another time for a visit that has to move."""

from typing import Any

import pytest
from django.test import Client

from bookings.engine.links import other_times_token
from bookings.models import Appointment, Hold, RearrangedVisit
from tests.bookings.acts import as_patient, book, let_expire
from tests.bookings.rearranging.scenes import WHY, DayOff, day_off, works_through
from tests.factories import make_doctor, make_slots, make_visit_type
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db


def offered() -> tuple[DayOff, str, list[Hold]]:
    scene = day_off(count=1)
    works_through(scene.decides("offer"))
    item = RearrangedVisit.objects.get()
    holds = Hold.objects.filter(guest_key=item.offer_key).order_by("starts_at")
    return scene, f"/appointments/other-times/{other_times_token(item)}/", list(holds)


def choose(url: str, hold: Any) -> Any:
    return Client().post(f"{url}take/", {"hold": getattr(hold, "pk", hold)})


def test_the_page_says_why_and_shows_the_times_without_signing_in() -> None:
    scene, url, holds = offered()
    page = Client().get(url)
    shown = words(page)
    assert f"Dr Emma Visser cannot see you at the time that you booked: {WHY}" in shown
    assert page.content.decode().count('name="hold"') == len(holds) == 3
    assert "Booked until you choose" in shown
    # Anyone with the link sees the visit, and not who comes.
    assert scene.visits[0].patient_name not in shown
    assert scene.visits[0].patient.email not in page.content.decode()


def test_one_press_moves_the_visit() -> None:
    _scene, url, holds = offered()
    answer = choose(url, holds[0])
    assert (answer.status_code, answer.headers["Location"]) == (302, url)
    assert "Your visit has moved" in words(Client().get(url))
    assert Appointment.objects.get(pk=holds[0].pk).status == "confirmed"


def test_two_presses_book_once() -> None:
    _scene, url, holds = offered()
    choose(url, holds[0])
    assert choose(url, holds[0]).status_code == 302
    assert Appointment.objects.count() == 2


def test_times_that_are_over_lead_on() -> None:
    _scene, url, holds = offered()
    for hold in holds:
        let_expire(hold)
    answer = choose(url, holds[0])
    assert answer.status_code == 410
    assert "That time is no longer held for you." in words(answer)
    assert "These times are no longer held" in words(Client().get(url))
    assert "Call the clinic" in words(Client().get(url))


def test_a_visit_at_that_time_is_named_as_the_reason() -> None:
    scene, url, holds = offered()
    other = make_visit_type(doctor=make_doctor())
    (slot,) = make_slots(doctor=other.doctor, starts_at=holds[0].starts_at)
    book(slot, visit_type=other, holder=as_patient(scene.visits[0].patient))
    answer = choose(url, holds[0])
    assert answer.status_code == 409
    assert "You already have a visit at that time." in words(answer)
    assert choose(url, holds[1]).status_code == 302


def test_a_cancelled_visit_says_so() -> None:
    scene, url, _holds = offered()
    visit = scene.visits[0]
    signed_in(visit.patient).post(f"/appointments/{visit.pk}/cancel/", {"version": 1})
    assert "This visit is no longer booked" in words(Client().get(url))


@pytest.mark.parametrize("token", ["1", "1:forged", "unsigned"])
def test_only_links_of_ours_open_anything(token: str) -> None:
    offered()
    assert Client().get(f"/appointments/other-times/{token}/").status_code == 404


@pytest.mark.parametrize("hold", ["", "x", "0192c1c0-0000-7000-8000-000000000000"])
def test_what_was_not_offered_is_not_found(hold: str) -> None:
    _scene, url, _holds = offered()
    assert choose(url, hold).status_code == 404
