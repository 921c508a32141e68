"""The pages on which the practice decides about visits outside a doctor's hours."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.models import Appointment, Choice, Rearrangement
from docbook.audit.models import AuditEvent
from tests.bookings.rearranging.scenes import DAYS, WHY, DayOff, day_off, works_through
from tests.factories import make_doctor, make_rule, make_secretary, make_slots, tomorrow_at
from tests.pages.browser import HTMX, is_whole_page, signed_in, words

pytestmark = pytest.mark.django_db

PAGE = "/schedule/availability/visits/"
TIME_OFF = "/schedule/availability/time-off/"


def browser_of(scene: DayOff) -> Any:
    return signed_in(scene.by.user)


def form(scene: DayOff, choice: str, **fields: Any) -> dict[str, Any]:
    visits = [str(each.pk) for each in scene.visits]
    return {"choice": choice, "reason": WHY, "visits": visits} | fields


def test_the_list_has_every_visit_by_day_all_ticked() -> None:
    scene = day_off(count=2)
    page = browser_of(scene).get(PAGE)
    text = page.content.decode()
    assert len(re.findall(r'name="visits"[^>]*checked', text)) == 2
    for visit in scene.visits:
        assert f'value="{visit.pk}"' in text
        assert visit.patient_name in words(page)
    event = AuditEvent.objects.filter(action="patients.read").last()
    assert event.after["through"] == "outside-hours"


def test_the_colleagues_are_those_who_are_free_then() -> None:
    scene = day_off(count=2)
    assert "No colleague of the same specialty is free" in words(browser_of(scene).get(PAGE))
    colleague = scene.colleague()
    colleague.slots.order_by("starts_at").last().delete()
    scene.colleague(name="Dr Off Duty").slots.all().delete()
    scene.colleague(name="Dr Switched Off", is_active=False)
    elsewhere = scene.colleague(name="Dr Elsewhere")
    elsewhere.slots.update(clinic=make_doctor().clinic)
    shown = words(browser_of(scene).get(PAGE))
    assert "Dr Jan de Boer, free at 1 of 2 times" in shown
    for name in ("Dr Off Duty", "Dr Switched Off", "Dr Elsewhere"):
        assert name not in shown


def test_a_day_off_leads_to_the_visits_that_it_leaves_outside() -> None:
    scene = day_off(count=1)
    scene.doctor.overrides.all().delete()
    browser, day = browser_of(scene), tomorrow_at(days=DAYS).date()
    given = {"kind": "off", "first_day": day, "last_day": day, "starts": "00:00", "ends": "00:00"}
    answer = browser.post(TIME_OFF, given | {"save": "1"})
    assert answer.headers["Location"] == f"{PAGE}?doctor={scene.doctor.pk}"
    assert "Added." in words(browser.get(answer.headers["Location"]))


def test_a_day_off_without_visits_stays_on_its_page() -> None:
    scene = day_off(count=1)
    day = tomorrow_at(days=DAYS + 4).date()
    given = {"kind": "off", "first_day": day, "last_day": day, "starts": "00:00", "ends": "00:00"}
    answer = browser_of(scene).post(TIME_OFF, given | {"save": "1"})
    assert answer.headers["Location"] == f"{TIME_OFF}?doctor={scene.doctor.pk}"


@pytest.mark.parametrize("page", [TIME_OFF, "/schedule/availability/"])
def test_both_pages_of_hours_lead_to_visits_that_wait_for_a_decision(page: str) -> None:
    scene = day_off(count=2)
    browser = browser_of(scene)
    shown = browser.get(page)
    assert "2 booked visits are outside these hours." in words(shown)
    assert f"{PAGE}?doctor={scene.doctor.pk}" in shown.content.decode()
    browser.post(PAGE, form(scene, "keep"))
    assert "outside these hours." not in words(browser.get(page))


def test_a_decision_leads_to_its_progress_and_then_to_what_became_of_each_visit() -> None:
    scene = day_off(count=2)
    browser = browser_of(scene)
    answer = browser.post(PAGE, form(scene, "cancel"))
    decision = Rearrangement.objects.get()
    assert answer.headers["Location"] == f"{PAGE}{decision.pk}/"
    before = browser.get(answer.headers["Location"])
    assert "0 of 2 visits worked on" in words(before)
    assert 'hx-trigger="every 2s"' in before.content.decode()
    works_through(decision)
    after = browser.get(answer.headers["Location"])
    assert "2 of 2 visits worked on" in words(after)
    assert "hx-trigger" not in after.content.decode()
    assert words(after).count("Cancelled. The patient is told.") == 2
    assert f"Patients read: “{WHY}”" in words(after)


def test_what_htmx_asks_for_again_names_nobody_and_ends_with_the_page() -> None:
    scene = day_off(count=2)
    decision = scene.decides(Choice.CANCEL)
    browser, url = browser_of(scene), f"{PAGE}{decision.pk}/"
    fragment = browser.get(url, headers=HTMX)
    assert not is_whole_page(fragment)
    assert "0 of 2 visits worked on" in words(fragment)
    assert scene.visits[0].patient_name not in words(fragment)
    assert not AuditEvent.objects.filter(action="patients.read").exists()
    works_through(decision)
    assert browser.get(url, headers=HTMX).headers["HX-Refresh"] == "true"


def test_a_failure_says_what_to_do_and_the_visit_is_on_the_list_again() -> None:
    scene = day_off(count=1, later=0)
    decision = scene.decides(Choice.OFFER)
    works_through(decision)
    browser = browser_of(scene)
    why = "No other time was free. Choose something else, or call the patient."
    assert why in words(browser.get(f"{PAGE}{decision.pk}/"))
    assert why in words(browser.get(PAGE))


def test_offers_say_until_when_and_where_a_visit_went() -> None:
    scene = day_off(count=1)
    decision = scene.decides(Choice.OFFER)
    works_through(decision)
    browser = browser_of(scene)
    assert "Other times are held for the patient until" in words(
        browser.get(f"{PAGE}{decision.pk}/")
    )
    shown = words(browser.get(PAGE))
    assert "Waiting for the patient's answer" in shown
    assert "Nothing to decide" in shown


def test_handed_over_visits_name_the_colleague() -> None:
    scene = day_off(count=1)
    colleague, browser = scene.colleague(), browser_of(scene)
    answer = browser.post(PAGE, form(scene, "hand-over", colleague=str(colleague.pk)))
    works_through(Rearrangement.objects.get())
    shown = words(browser.get(answer.headers["Location"]))
    assert "Now with Dr Jan de Boer. The patient is told." in shown


def test_keeping_says_so_and_starts_no_work() -> None:
    scene = day_off(count=2)
    browser = browser_of(scene)
    answer = browser.post(PAGE, form(scene, "keep", reason=""))
    shown = words(browser.get(answer.headers["Location"]))
    assert "2 visits stay booked." in shown
    assert "2 visits that you keep are not listed." in shown


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"reason": ""}, "Say why: the patients are told."),
        ({"visits": []}, "Choose at least one visit."),
        ({"visits": ["no-visit"]}, "no-visit is not one of the choices"),
        ({"choice": "hand-over"}, "Choose a colleague."),
        ({"choice": "forget"}, "forget is not one of the choices"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    fields: dict[str, Any], message: str
) -> None:
    scene = day_off(count=2)
    scene.colleague()
    one = {"visits": [str(scene.visits[0].pk)], "reason": "Typed before"}
    page = browser_of(scene).post(PAGE, form(scene, "cancel") | one | fields)
    assert page.status_code == 422
    assert message in words(page)
    assert not Rearrangement.objects.exists()
    if fields.get("reason") != "":
        assert "Typed before" in page.content.decode()
    if "visits" not in fields:
        text = page.content.decode()
        assert len(re.findall(r'name="visits"[^>]*checked', text)) == 1


def test_strangers_find_neither_list_nor_decision() -> None:
    scene = day_off(count=1)
    decision = scene.decides(Choice.CANCEL)
    stranger = signed_in(make_secretary(doctor=make_doctor()))
    assert stranger.get(f"{PAGE}?doctor={scene.doctor.pk}").status_code == 404
    assert stranger.get(f"{PAGE}{decision.pk}/").status_code == 404
    assert (
        stranger.post(f"{PAGE}?doctor={scene.doctor.pk}", form(scene, "cancel")).status_code == 404
    )
    assert Appointment.objects.get().status == "confirmed"


def test_lists_do_not_grow_queries() -> None:
    counts = []
    for count in (2, 5):
        scene = day_off(count=count)
        browser = browser_of(scene)
        browser.get(PAGE)
        with CaptureQueriesContext(connection) as on_the_list:
            browser.get(PAGE)
        decision = scene.decides(Choice.OFFER)
        works_through(decision, now=timezone.now())
        with CaptureQueriesContext(connection) as on_the_decision:
            browser.get(f"{PAGE}{decision.pk}/")
        counts.append((len(on_the_list), len(on_the_decision)))
    assert counts[0] == counts[1]


def test_visits_within_the_hours_are_not_listed() -> None:
    doctor = make_doctor()
    make_rule(doctor=doctor)
    make_slots(doctor=doctor)
    page = signed_in(make_secretary(doctor=doctor)).get(PAGE)
    assert "Nothing to decide" in words(page)
