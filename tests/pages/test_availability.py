"""The availability pages: weekly hours, time off, and the preview before anything changes."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.actors.holder import Holder
from bookings.errors import SlotTaken
from bookings.holding.services.holds import hold_slot
from docbook.audit.models import AuditEvent
from doctors.models import AvailabilityOverride, AvailabilityRule, Doctor, SlotExpansion
from doctors.selectors.slots import times_on_day
from doctors.services.slot_expansions import carry_out
from tests.factories import (
    CLINIC_ZONE,
    make_appointment,
    make_clinic,
    make_doctor,
    make_override,
    make_rule,
    make_secretary,
    make_slots,
    make_user,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import HTMX, is_whole_page, signed_in, typed, words

pytestmark = pytest.mark.django_db

PAGE, TIME_OFF = "/schedule/availability/", "/schedule/availability/time-off/"


def practice(**fields: Any) -> tuple[Doctor, Client]:
    """A doctor without hours, and their secretary's browser."""
    doctor = make_doctor(user=make_user(), **fields)
    return doctor, signed_in(make_secretary(doctor=doctor))


def card(rule: AvailabilityRule | None = None, **fields: Any) -> dict[str, Any]:
    """What the fields of a card send: Mondays to Fridays, from nine to twelve."""
    values: dict[str, Any] = {
        "weekdays": ["0", "1", "2", "3", "4"],
        "starts": "09:00",
        "ends": "12:00",
        "every_weeks": "1",
        "mode": "any",
        "valid_from": "2020-01-01",
        "valid_until": "",
    }
    return values | ({"saved": rule.pk, "clinic": rule.clinic_id} if rule else {}) | fields


def form_of(browser: Client, doctor: Doctor, *cards: dict[str, Any], **more: Any) -> dict[str, Any]:
    version = typed(browser.get(PAGE))["version"]
    data: dict[str, Any] = {
        "version": version,
        "hours-TOTAL_FORMS": len(cards),
        "hours-INITIAL_FORMS": 0,
    }
    for number, fields in enumerate(cards):
        sent = {"clinic": doctor.clinic_id} | fields
        data |= {f"hours-{number}-{name}": value for name, value in sent.items()}
    return data | more


def visit_at(doctor: Doctor, hour: int, *, days: int = 2, minute: int = 0) -> Any:
    day = tomorrow_at(days=days).date()
    starts_at = datetime.combine(day, time(hour, minute), tzinfo=CLINIC_ZONE)
    return make_appointment(
        slots=make_slots(doctor=doctor, starts_at=starts_at), patient_name="Wilma Buiten"
    )


def every_day(**fields: Any) -> dict[str, Any]:
    return card(weekdays=[str(day) for day in range(7)], **fields)


def test_each_rule_says_its_effect() -> None:
    doctor, browser = practice()
    make_rule(doctor=doctor, weekdays=[0, 1, 2, 4])
    make_rule(doctor=doctor, weekdays=[3], starts=time(13), ends=time(16), every_weeks=2)
    shown = words(browser.get(PAGE))
    assert "36 times a week" in shown
    assert "9 times every second week" in shown


def test_preview_writes_nothing_and_says_what_would_change() -> None:
    doctor, browser = practice()
    rule = make_rule(doctor=doctor)
    visit_at(doctor, 11)
    visit_at(doctor, 9)
    data = form_of(browser, doctor, every_day(saved=rule.pk, ends="11:00"), preview="1")
    page = browser.post(PAGE, data)
    shown = words(page)
    assert page.status_code == 200
    assert "1 booked visit is outside the new hours" in shown
    assert "Wilma Buiten" in shown
    assert "It stays booked until you decide." in shown
    assert "42 times a week instead of 63" in shown
    assert f"date={tomorrow_at(days=2).date()}" in page.content.decode()
    rule.refresh_from_db()
    assert rule.ends == time(12)
    assert not SlotExpansion.objects.exists()


def test_htmx_gets_only_the_preview_and_the_heads_of_the_cards() -> None:
    doctor, browser = practice()
    page = browser.post(PAGE, form_of(browser, doctor, every_day()), headers=HTMX)
    text = page.content.decode()
    assert not is_whole_page(page)
    assert 'id="preview"' in text
    assert "The next four weeks:" in text
    assert 'id="head-hours-0" hx-swap-oob="true"' in text
    assert "csrfmiddlewaretoken" not in text


def test_reading_who_would_be_outside_is_recorded() -> None:
    doctor, browser = practice()
    visit_at(doctor, 11)
    browser.post(PAGE, form_of(browser, doctor))
    event = AuditEvent.objects.filter(action="patients.read").last()
    assert event.actor_kind == "secretary"
    assert event.after == {
        "dates": [tomorrow_at(days=2).date().isoformat()],
        "through": "availability",
    }


def test_saved_hours_are_audited_and_become_times() -> None:
    doctor, browser = practice()
    cards = [every_day(), every_day(starts="13:00", ends="16:00")]
    answer = browser.post(PAGE, form_of(browser, doctor, *cards, save="1"))
    assert answer.status_code == 302
    assert [(rule.starts, rule.ends) for rule in doctor.rules.all()] == [
        (time(9), time(12)),
        (time(13), time(16)),
    ]
    event = AuditEvent.objects.get(action="hours.changed")
    assert event.actor_kind == "secretary"
    assert (len(event.before["rules"]), len(event.after["rules"])) == (0, 2)
    carry_out(expansion_id=SlotExpansion.objects.get().pk, now=timezone.now())
    assert doctor.slots.filter(state="open").exists()


def test_hours_can_be_for_some_visits_only() -> None:
    doctor, browser = practice(min_notice_minutes=0)
    first, check = (make_visit_type(doctor=doctor, name=name) for name in ("First", "Check"))
    cards = [every_day(visit_types=[str(first.pk)])]
    form = form_of(browser, doctor, *cards)
    assert "only for First" in words(browser.post(PAGE, form | {"preview": "1"}))
    assert browser.post(PAGE, form | {"save": "1"}).status_code == 302
    carry_out(expansion_id=SlotExpansion.objects.get().pk, now=timezone.now())
    slots = doctor.slots.all()
    assert slots
    assert {tuple(slot.visit_types or ()) for slot in slots} == {(first.pk,)}
    day = tomorrow_at(days=2).date()
    assert times_on_day(doctor=doctor, visit_type=first, day=day, now=timezone.now())
    assert not times_on_day(doctor=doctor, visit_type=check, day=day, now=timezone.now())
    with pytest.raises(SlotTaken):
        hold_slot(
            slot_id=slots[0].pk,
            visit_type_id=check.pk,
            holder=Holder(guest_key=uuid4()),
            now=timezone.now(),
        )


def test_hours_stay_for_a_visit_that_is_switched_off() -> None:
    doctor, browser = practice()
    gone = make_visit_type(doctor=doctor, name="First", is_active=False)
    make_visit_type(doctor=doctor, name="Check")
    make_rule(doctor=doctor, visit_types=[gone.pk])
    page = browser.get(PAGE)
    assert "only for First" in words(page)
    [card_of_it] = page.context["cards"].cards
    assert card_of_it["visit_types"].value() == [gone.pk]


def test_visit_of_another_doctor_is_no_choice() -> None:
    doctor, browser = practice()
    other = make_visit_type(doctor=make_doctor())
    cards = [every_day(visit_types=[str(other.pk)])]
    assert browser.post(PAGE, form_of(browser, doctor, *cards, save="1")).status_code == 422
    assert not doctor.rules.exists()


def test_booked_and_held_times_stay_when_hours_go() -> None:
    doctor, browser = practice()
    make_rule(doctor=doctor)
    visit = visit_at(doctor, 11)
    browser.post(PAGE, form_of(browser, doctor, save="1"))
    carry_out(expansion_id=SlotExpansion.objects.get().pk, now=timezone.now())
    assert [slot.hold_id for slot in doctor.slots.all()] == [visit.pk]
    assert not doctor.rules.exists()


def test_card_that_is_removed_goes_and_the_others_keep_their_rows() -> None:
    doctor, browser = practice()
    kept, gone = make_rule(doctor=doctor), make_rule(doctor=doctor, starts=time(13), ends=time(16))
    cards = [every_day(saved=kept.pk), every_day(saved=gone.pk, starts="13:00", ends="16:00")]
    cards[1]["DELETE"] = "on"
    browser.post(PAGE, form_of(browser, doctor, *cards, save="1"))
    assert list(doctor.rules.values_list("pk", flat=True)) == [kept.pk]


def test_save_that_is_based_on_older_hours_is_refused_and_keeps_what_was_typed() -> None:
    doctor, browser = practice()
    mine = form_of(browser, doctor, every_day(starts="08:20"), save="1")
    theirs = form_of(browser, doctor, every_day(starts="10:00"), save="1")
    assert browser.post(PAGE, theirs).status_code == 302
    refused = browser.post(PAGE, mine)
    assert refused.status_code == 409
    assert "Somebody else has changed these hours" in words(refused)
    assert typed(refused)["hours-0-starts"] == "08:20"
    assert [rule.starts for rule in doctor.rules.all()] == [time(10)]
    again = mine | {"version": typed(refused)["version"]}
    assert browser.post(PAGE, again).status_code == 302
    assert [rule.starts for rule in doctor.rules.all()] == [time(8, 20)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ends": "08:00"}, "The end must be later than the start."),
        ({"ends": "25:00"}, "Write the time like 08:30, or 24:00 for the end of the day."),
        ({"weekdays": []}, "This field is required."),
        ({"valid_from": "soon"}, "Write the day like 2026-12-31."),
        ({"clinic": "999999"}, "is not one of the choices"),
        ({"valid_until": "2019-01-01"}, "The last day must not be before the first."),
        ({"every_weeks": "9"}, "9 is not one of the choices."),
    ],
)
def test_wrong_card_gets_its_message_and_keeps_what_was_typed(
    wrong: dict[str, Any], said: str
) -> None:
    doctor, browser = practice()
    page = browser.post(PAGE, form_of(browser, doctor, card(**wrong), save="1"))
    assert page.status_code == 422
    assert said in words(page)
    kept = typed(page)
    for name in {"ends", "valid_from"} & set(wrong):
        assert kept[f"hours-0-{name}"] == wrong[name]
    assert not doctor.rules.exists()


def test_overlap_is_refused_across_zones_too() -> None:
    doctor, browser = practice()
    london = make_clinic(time_zone="Europe/London")
    rule = make_rule(doctor=doctor, clinic=london)
    cards = [every_day(saved=rule.pk, clinic=london.pk), every_day(starts="12:00", ends="14:00")]
    page = browser.post(PAGE, form_of(browser, doctor, *cards, save="1"))
    assert page.status_code == 422
    assert "These hours overlap other hours of this doctor." in words(page)


def test_another_card_is_added_without_scripts_and_nothing_is_lost() -> None:
    doctor, browser = practice()
    page = browser.post(PAGE, form_of(browser, doctor, card(starts="08:10"), add="1"))
    kept = typed(page)
    assert page.status_code == 200
    assert kept["hours-TOTAL_FORMS"] == "2"
    assert kept["hours-0-starts"] == "08:10"
    assert kept["hours-1-valid_from"] == timezone.now().astimezone(CLINIC_ZONE).date().isoformat()


def test_only_clinics_of_this_doctor_are_offered() -> None:
    doctor, browser = practice()
    make_rule(doctor=doctor, clinic=make_clinic(name="Second Place"))
    make_clinic(name="Elsewhere")
    shown = words(browser.get(PAGE))
    assert "Second Place" in shown
    assert "Elsewhere" not in shown


def queries_of_a_preview(doctor: Doctor, browser: Client, *, cards: int) -> int:
    typed_in = [every_day(starts=f"{n:02d}:00", ends=f"{n:02d}:40") for n in range(cards)]
    data = form_of(browser, doctor, *typed_in)
    with CaptureQueriesContext(connection) as queries:
        assert browser.post(PAGE, data).status_code == 200
    return len(queries)


def test_preview_needs_no_more_queries_for_more_visits_and_rules() -> None:
    doctor, browser = practice()
    visit_at(doctor, 9)
    few = queries_of_a_preview(doctor, browser, cards=1)
    for number in range(10):
        visit_at(doctor, 10, days=number + 2)
        make_rule(doctor=doctor, starts=time(number), ends=time(number + 1))
    assert queries_of_a_preview(doctor, browser, cards=8) == few


def off(doctor: Doctor, **fields: Any) -> dict[str, Any]:
    day = tomorrow_at(days=2).date().isoformat()
    values = {"kind": "off", "first_day": day, "last_day": day, "starts": "00:00"}
    return values | {"ends": "24:00", "clinic": "", "mode": "any", "reason": ""} | fields


def test_time_off_is_previewed_with_the_visits_it_touches_then_added_and_removed() -> None:
    doctor, browser = practice()
    make_rule(doctor=doctor)
    visit_at(doctor, 11)
    shown = words(browser.post(TIME_OFF, off(doctor)))
    assert "9 go, 1 booked visit is outside the new hours" in shown
    assert "Wilma Buiten" in shown
    assert not AvailabilityOverride.objects.exists()
    for _press in range(2):  # the second of a double press adds nothing
        assert browser.post(TIME_OFF, off(doctor, save="1", reason="Away")).status_code == 302
    override = doctor.overrides.get()
    assert override.reason == "Away"
    assert "Away" in words(browser.get(TIME_OFF))
    assert "all day" in words(browser.get(TIME_OFF))
    answer = browser.post(f"{TIME_OFF}{override.pk}/remove/")
    assert answer.status_code == 302
    assert not doctor.overrides.exists()
    assert AuditEvent.objects.filter(action="overrides.changed").count() == 2
    assert SlotExpansion.objects.count() == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "extra"}, "Choose the clinic of the extra hours."),
        ({"last_day": "2026-01-01", "first_day": "2026-01-01"}, "These days are over."),
        ({"ends": "25:00"}, "Write the time like 08:30"),
        ({"first_day": "x"}, "Write the day like 2026-12-31."),
        ({"last_day": "2026-01-01"}, "The last day must not be before the first."),
    ],
)
def test_wrong_time_off_gets_its_message(wrong: dict[str, Any], said: str) -> None:
    doctor, browser = practice()
    page = browser.post(TIME_OFF, off(doctor, save="1", **wrong))
    assert page.status_code == 422
    assert said in words(page)
    assert not doctor.overrides.exists()


def test_form_that_is_sent_twice_adds_once_but_another_reason_is_something_new() -> None:
    doctor, browser = practice()
    for reason in ("Holiday", "Holiday", "At a congress"):
        typed = off(doctor, reason=reason) | {"save": "1"}
        assert browser.post(TIME_OFF, typed).status_code == 302
    reasons = doctor.overrides.order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == ["Holiday", "At a congress"]


def test_stranger_removes_nothing() -> None:
    override = make_override(doctor=make_doctor())
    _doctor, browser = practice()
    assert browser.post(f"{TIME_OFF}{override.pk}/remove/").status_code == 404
    assert browser.get(f"{PAGE}?doctor={override.doctor_id}").status_code == 404
    assert AvailabilityOverride.objects.filter(pk=override.pk).exists()


def test_far_time_off_is_previewed_where_it_is() -> None:
    doctor, browser = practice()
    make_rule(doctor=doctor)
    day = (timezone.now().astimezone(CLINIC_ZONE).date() + timedelta(days=90)).isoformat()
    shown = words(browser.post(TIME_OFF, off(doctor, first_day=day, last_day=day)))
    assert "The four weeks from" in shown
    assert "243 times, 9 go" in shown


def test_rail_leads_to_the_page() -> None:
    _doctor, browser = practice()
    page = browser.get(PAGE).content.decode()
    assert 'aria-current="page">' in page
    assert PAGE in browser.get("/schedule/").content.decode()


def test_address_with_a_time_fills_in_the_form_and_shows_what_would_go() -> None:
    doctor, browser = practice()
    make_slots(doctor=doctor, starts_at=tomorrow_at(9, days=3), count=3)
    day = tomorrow_at(9, days=3).astimezone(CLINIC_ZONE).date().isoformat()
    asked = {"date": day, "from": "12:00", "until": "13:30", "back": f"/schedule/?date={day}"}
    page = browser.get(TIME_OFF, asked)
    given = typed(page)
    assert (given["first_day"], given["last_day"]) == (day, day)
    assert (given["starts"], given["ends"]) == ("12:00", "13:30")
    assert not AvailabilityOverride.objects.exists()
    answer = browser.post(TIME_OFF, given | {"kind": "off", "save": "1"})
    assert (answer.status_code, answer["Location"]) == (302, f"/schedule/?date={day}")
    override = AvailabilityOverride.objects.get()
    assert (override.kind, override.starts, override.ends) == ("off", time(12), time(13, 30))


@pytest.mark.parametrize(
    "asked",
    [
        {"date": "2026-02-31"},
        {"date": "x" * 500, "from": "1", "until": "-"},
        {"date": "0000-00-00", "from": "25:00"},
        {"from": "12:00", "until": "13:00"},
    ],
)
def test_address_with_a_time_that_does_not_exist_shows_an_empty_form(asked: dict[str, str]) -> None:
    _doctor, browser = practice()
    page = browser.get(TIME_OFF, asked)
    assert page.status_code == 200
    assert typed(page)["first_day"] == ""


def test_way_back_leads_to_the_schedule_only() -> None:
    doctor, browser = practice()
    day = tomorrow_at(9, days=3).date().isoformat()
    given = {"kind": "off", "first_day": day, "last_day": day, "starts": "00:00", "ends": "24:00"}
    sent = given | {"save": "1", "back": "https://elsewhere.example/schedule/"}
    assert browser.post(TIME_OFF, sent)["Location"] == f"{TIME_OFF}?doctor={doctor.pk}"
