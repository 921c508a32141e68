"""What a page offers if a time cannot be held: one press, and never a link to another search."""

import html
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from bookings.models import BookingPause, Hold, HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS, MAX_CODE_RESENDS
from doctors.models import Slot, SlotState
from tests.bookings.acts import (
    allow_resend,
    as_patient,
    book,
    bookable,
    code_of,
    guest,
    let_expire,
    take,
    wrong_code,
)
from tests.days_said import day_said
from tests.factories import (
    make_appointment,
    make_doctor,
    make_patient,
    make_slots,
    make_visit_type,
    tomorrow_at,
)
from tests.pages.browser import offered_slots, signed_in, typed, words

pytestmark = pytest.mark.django_db

DETAILS = {"first_name": "Saskia", "last_name": "Kuipers", "email": "saskia@example.test"}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"action": given.get("action", "")})
        elif tag == "input" and self.forms and given.get("type") == "hidden":
            self.forms[-1][given["name"]] = given.get("value", "")


def offers(response: HttpResponse) -> list[dict[str, str]]:
    """The forms that hold one particular time."""
    parser = _Forms()
    parser.feed(response.content.decode())
    return [form for form in parser.forms if form["action"] == "/book/" and "slot" in form]


def releases(response: HttpResponse) -> list[dict[str, str]]:
    parser = _Forms()
    parser.feed(response.content.decode())
    return [form for form in parser.forms if form["action"].endswith("/release/")]


def press(browser: Client, form: dict[str, str]) -> HttpResponse:
    data = {name: value for name, value in form.items() if name != "action"}
    return browser.post(form["action"], data)


def tap(browser: Client, slot: Slot, visit_type: object) -> HttpResponse:
    return browser.post("/book/", {"slot": slot.pk, "visit_type": visit_type.pk})


def clock(slot: Slot) -> str:
    return f"{slot.starts_at.astimezone(slot.clinic.zone):%H:%M}"


def test_loser_of_a_race_holds_another_time_with_one_press() -> None:
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=guest())
    browser = signed_in()
    refused = tap(browser, slots[0], visit_type)
    assert [offer["slot"] for offer in offers(refused)] == [str(slot.pk) for slot in slots[1:]]
    assert f"Still free: Hold {clock(slots[1])}" in words(refused)
    held = press(browser, offers(refused)[0])
    assert held.headers["Location"] == f"/book/{Hold.objects.latest('created_at').pk}/"


def test_alternative_on_another_day_says_which_day() -> None:
    visit_type, (slot,) = bookable(count=1)
    (later,) = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3))
    book(slot, visit_type=visit_type, holder=guest())
    refused = tap(signed_in(), slot, visit_type)
    day = later.starts_at.astimezone(later.clinic.zone)
    assert f"Hold {day_said(day)}, {clock(later)}" in words(refused)


def test_nothing_is_announced_as_free_when_nothing_is() -> None:
    visit_type, (slot,) = bookable(count=1)
    book(slot, visit_type=visit_type, holder=guest())
    refused = tap(signed_in(), slot, visit_type)
    assert "Still free" not in words(refused)
    assert offers(refused) == []


def lost(browser: Client, slot: Slot, visit_type: object, *, way: str) -> tuple[Hold, str]:
    """A hold with its code sent, which has expired or used up its tries."""
    page = tap(browser, slot, visit_type).headers["Location"]
    browser.post(page, DETAILS)
    hold = Hold.objects.latest("created_at")
    if way == "time":
        let_expire(hold)
        return hold, f"{page}code/"
    Hold.objects.filter(pk=hold.pk).update(otp_attempts=MAX_CODE_ATTEMPTS - 1)
    browser.post(f"{page}code/", {"code": wrong_code(hold)})
    return hold, f"{page}code/"


SAID = {
    "time": "we gave {} back.",
    "tries": "You have used all five tries, so we gave the time back.",
}


@pytest.mark.parametrize("way", SAID)
def test_lost_time_that_is_still_free_is_held_again_with_one_press(way: str) -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    _hold, page = lost(browser, slots[0], visit_type, way=way)
    refused = browser.get(page)
    said = SAID[way].format(clock(slots[0]))
    assert f"{said} It is still free. Hold it again? Hold {clock(slots[0])}" in words(refused)
    assert press(browser, offers(refused)[0]).status_code == 302
    assert Hold.objects.latest("created_at").slot_ids == [slots[0].pk]


@pytest.mark.parametrize("way", SAID)
def test_lost_time_that_is_gone_leads_to_the_next_one_with_one_press(way: str) -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    _hold, page = lost(browser, slots[0], visit_type, way=way)
    Slot.objects.filter(pk=slots[0].pk).update(
        state=SlotState.BLOCKED, held_until=None, hold_id=None
    )
    refused = browser.get(page)
    assert f"It is gone now. Next free: {clock(slots[1])}." in words(refused)
    assert [offer["slot"] for offer in offers(refused)] == [str(slots[1].pk)]


def test_lost_time_of_a_doctor_who_has_stopped_is_not_offered_again() -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    _hold, page = lost(browser, slots[0], visit_type, way="time")
    make_visit_type(doctor=visit_type.doctor)
    visit_type.is_active = False
    visit_type.save()
    refused = browser.get(page)
    assert "It is gone now." in words(refused)
    assert offers(refused) == []


def test_patient_is_told_which_visit_is_at_that_time() -> None:
    patient = make_patient()
    visit_type, slots = bookable()
    other = make_doctor(name="Dr Jan Nowak")
    visit = make_appointment(slots=make_slots(doctor=other), patient=patient)
    refused = tap(signed_in(patient), slots[0], visit_type)
    day = visit.starts_at.astimezone(visit.clinic.zone)
    when = f"{day_said(day)}, {day:%H:%M}"
    said = f"You already have a visit at that time: {when}, Dr Jan Nowak. Pick another time."
    assert said in words(refused)
    assert f'href="/appointments/{visit.pk}/"' in refused.content.decode()


def test_code_from_the_mail_of_a_used_account_does_not_tell_its_visits() -> None:
    owner = make_patient(email=DETAILS["email"])
    other = make_doctor(name="Dr Jan Nowak")
    make_appointment(slots=make_slots(doctor=other), patient=owner)
    visit_type, slots = bookable()
    browser = signed_in()
    page = tap(browser, slots[0], visit_type).headers["Location"]
    browser.post(page, DETAILS)
    refused = browser.post(f"{page}code/", {"code": code_of(Hold.objects.latest("created_at"))})
    assert "You already have a visit at that time. Pick another time." in words(refused)
    assert "Nowak" not in words(refused)


def keeping(patient: object, count: int) -> list[Hold]:
    """Live holds at different doctors, on different days."""
    holds = []
    for days in range(3, 3 + count):
        visit_type, _slots = bookable(count=1)
        (slot,) = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=days))
        holds.append(take(slot, visit_type=visit_type, holder=as_patient(patient)))
    return holds


def test_every_kept_time_can_be_confirmed_or_given_back_from_the_refusal() -> None:
    patient = make_patient()
    holds = keeping(patient, 3)
    visit_type, slots = bookable()
    refused = tap(signed_in(patient), slots[0], visit_type)
    said = "You are already holding 3 times. Confirm or give back one of them first."
    assert said in words(refused)
    assert [form["action"] for form in releases(refused)] == [
        f"/book/{hold.pk}/release/" for hold in holds
    ]
    for hold in holds:
        assert f'href="/book/{hold.pk}/"' in refused.content.decode()
    assert offers(refused) == []
    assert words(refused).count("Held for you: ") == len(holds)


def test_giving_back_a_kept_time_leads_to_the_day_that_was_wanted() -> None:
    patient = make_patient()
    keeping(patient, 3)
    visit_type, slots = bookable()
    browser = signed_in(patient)
    refused = tap(browser, slots[0], visit_type)
    leads_to = urlsplit(press(browser, releases(refused)[0]).headers["Location"])
    assert leads_to.path == f"/doctors/{visit_type.doctor.slug}/"
    day = slots[0].starts_at.astimezone(slots[0].clinic.zone).date()
    assert f"date={day}" in leads_to.query
    assert tap(browser, slots[0], visit_type).status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/doctors/x/",
        "//evil.example/doctors/x/",
        "/\\evil.example/doctors/x/",
        "javascript:alert(1)",
        "/accounts/logout/",
        "/nothing-here/",
        "https://testserver@evil.example/doctors/x/",
    ],
)
def test_giving_back_leads_to_pages_of_our_doctors_only(target: str) -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    page = tap(browser, slots[0], visit_type).headers["Location"]
    response = browser.post(f"{page}release/", {"next": target})
    assert response.headers["Location"].startswith(f"/doctors/{visit_type.doctor.slug}/?")


def test_guest_swaps_the_kept_time_for_the_wanted_one_with_one_press() -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    tap(browser, slots[0], visit_type)
    kept = Hold.objects.get()
    refused = tap(browser, slots[1], visit_type)
    said = f"Give back {clock(slots[0])} and hold {clock(slots[1])}"
    assert said in words(refused)
    assert "Confirm it or give it back first." in words(refused)
    (swap,) = offers(refused)
    new = Hold.objects.get(pk=press(browser, swap).headers["Location"].split("/")[2])
    kept.refresh_from_db()
    assert (kept.state, new.state) == (HoldState.RELEASED, HoldState.HELD)
    assert new.slot_ids == [slots[1].pk]


def test_swap_between_days_names_both_of_them() -> None:
    visit_type, slots = bookable()
    (later,) = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3))
    browser = signed_in()
    tap(browser, slots[0], visit_type)
    refused = tap(browser, later, visit_type)
    days = [each.starts_at.astimezone(each.clinic.zone) for each in (slots[0], later)]
    kept, wanted = (f"{day_said(day)}, {day:%H:%M}" for day in days)
    assert f"Give back {kept} and hold {wanted}" in words(refused)


def test_swap_that_comes_too_late_keeps_the_old_time_and_says_what_is_free() -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    tap(browser, slots[0], visit_type)
    (swap,) = offers(tap(browser, slots[1], visit_type))
    book(slots[1], visit_type=visit_type, holder=guest())
    refused = press(browser, swap)
    assert refused.status_code == 409
    assert f"{clock(slots[1])} was just taken by somebody else." in words(refused)
    assert Hold.objects.order_by("created_at").first().state == HoldState.HELD
    assert Slot.objects.get(pk=slots[0].pk).state == SlotState.HELD
    assert str(slots[2].pk) in [offer["slot"] for offer in offers(refused)]


def test_swap_gives_back_no_time_of_somebody_else() -> None:
    visit_type, slots = bookable()
    foreign = take(slots[0], visit_type=visit_type, holder=guest())
    data = {"slot": slots[1].pk, "visit_type": visit_type.pk, "instead_of": foreign.pk}
    assert signed_in().post("/book/", data).status_code == 404
    assert Hold.objects.get().state == HoldState.HELD


def test_code_asked_for_too_early_is_told_the_seconds_that_are_left() -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    page = tap(browser, slots[0], visit_type).headers["Location"]
    browser.post(page, DETAILS)
    early = words(browser.post(f"{page}resend/", follow=True))
    said = [
        f"You can get a new code in {left} seconds. The last one still works."
        for left in (30, 29, 28)
    ]
    assert any(each in early for each in said)


def test_code_asked_for_once_too_often_is_told_that_none_follows() -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    page = tap(browser, slots[0], visit_type).headers["Location"]
    browser.post(page, DETAILS)
    hold = Hold.objects.get()
    allow_resend(hold)
    Hold.objects.update(otp_resends=MAX_CODE_RESENDS)
    late = words(browser.post(f"{page}resend/", follow=True))
    assert "We cannot send another code for this time. The last one still works." in late


def test_page_of_a_running_hold_can_ask_for_the_same_time_when_it_is_over() -> None:
    """The browser shows it at the end of the countdown; on the details page with the typed text."""
    visit_type, slots = bookable()
    browser = signed_in()
    page = tap(browser, slots[0], visit_type).headers["Location"]
    details = browser.get(page).content.decode()
    assert 'form="details"' in details
    assert f"See if {clock(slots[0])} is still free" in details
    browser.post(page, DETAILS)
    code = browser.get(f"{page}code/").content.decode()
    assert f'href="{page}">See if {clock(slots[0])} is still free</a>' in code


def test_hint_and_error_of_the_code_are_both_read_with_the_field() -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    page = tap(browser, slots[0], visit_type).headers["Location"]
    browser.post(page, DETAILS)
    fresh = browser.get(f"{page}code/")
    assert 'aria-describedby="id_code_helptext"' in fresh.content.decode()
    assert "You have five tries. You can paste the code." in words(fresh)
    wrong = browser.post(f"{page}code/", {"code": "12"})
    assert 'aria-describedby="id_code_helptext id_code_error"' in wrong.content.decode()
    assert typed(wrong)["code"] == "12"


def test_each_empty_field_of_the_details_is_asked_for_by_its_name() -> None:
    visit_type, slots = bookable()
    browser = signed_in()
    page = tap(browser, slots[0], visit_type).headers["Location"]
    empty = words(browser.post(page, {"first_name": "", "last_name": "", "email": ""}))
    for said in ("your first name", "your last name", "your e-mail address"):
        assert f"Enter {said}." in empty
    half = words(browser.post(page, DETAILS | {"email": "saskia@"}))
    assert "Enter a complete e-mail address, like name@example.org." in half


def test_network_that_holds_ten_times_is_named_to_a_patient_who_holds_none(settings) -> None:
    settings.LIVE_HOLDS_PER_ADDRESS = 1
    visit_type, slots = bookable()
    tap(Client(), slots[0], visit_type)
    refused = tap(Client(), slots[1], visit_type)
    assert refused.status_code == 409
    until = Hold.objects.get().expires_at.astimezone(visit_type.doctor.clinic.zone)
    assert "Your network is holding too many times" in words(refused)
    assert f"The next one is free again at {until:%H:%M}." in words(refused)
    assert "You are already holding" not in words(refused)


def test_pause_is_news_and_no_loss() -> None:
    visit_type, slots = bookable()
    BookingPause.objects.create(is_on=True, message="We move.")
    page = tap(Client(), slots[0], visit_type).content.decode()
    assert "notice-bad" not in page
    assert "Booking is paused." in page


# -- the second tap on the same time


@pytest.mark.parametrize("who", [None, "patient"])
def test_second_tap_goes_on_with_the_first(who: str | None) -> None:
    """The page was lost, or the patient went back: nobody else is confirming that time."""
    visit_type, slots = bookable()
    browser = signed_in(make_patient()) if who else Client()
    first = tap(browser, slots[0], visit_type)
    again = tap(browser, slots[0], visit_type)
    assert again.headers["Location"] == first.headers["Location"]
    assert Hold.objects.count() == 1
    browser.post(first.headers["Location"], DETAILS)
    late = tap(browser, slots[0], visit_type)
    assert late.headers["Location"] == f"/book/{Hold.objects.get().pk}/code/"


@pytest.mark.parametrize(("length", "kept_free"), [(2, 0), (1, 1)])
def test_tap_into_the_time_that_one_keeps_offers_to_swap_it(length: int, kept_free: int) -> None:
    visit_type, slots = bookable(slots=length)
    visit_type.buffer_slots = kept_free
    visit_type.save()
    browser = signed_in(make_patient())
    tap(browser, slots[0], visit_type)
    response = tap(browser, slots[1], visit_type)
    assert response.status_code == 409
    assert re.search(r"You are holding [0-9:]+, which overlaps [0-9:]+", words(response))
    (swap,) = offers(response)
    press(browser, swap)
    states = dict(Hold.objects.values_list("starts_at", "state"))
    assert states == {slots[0].starts_at: "released", slots[1].starts_at: "held"}


def test_same_time_for_another_reason_is_offered_as_a_swap() -> None:
    visit_type, slots = bookable()
    other = make_visit_type(doctor=visit_type.doctor)
    browser = signed_in(make_patient())
    tap(browser, slots[0], visit_type)
    (swap,) = offers(tap(browser, slots[0], other))
    press(browser, swap)
    assert Hold.objects.get(state=HoldState.HELD).visit_type == other


def address(response: HttpResponse) -> list[str]:
    found = re.findall(r'data-address="(.*?)"', response.content.decode())
    return [html.unescape(each) for each in found]


def test_reload_of_a_refused_tap_asks_for_the_day_and_not_for_the_time_again() -> None:
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=guest())
    browser = signed_in()
    refused = tap(browser, slots[0], visit_type)
    (day,) = address(refused)
    shown = browser.get(day)
    assert shown.status_code == 200
    assert offered_slots(shown) == [slot.pk for slot in slots[1:]]


def test_reload_of_a_refused_change_shows_the_visit() -> None:
    visit_type, slots = bookable(change_notice_minutes=5 * 24 * 60)
    patient = make_patient()
    visit = make_appointment(slots=slots[:1], visit_type=visit_type, patient=patient)
    refused = signed_in(patient).post(f"/appointments/{visit.pk}/cancel/", {"version": 1})
    assert refused.status_code == 422
    assert address(refused) == [f"/appointments/{visit.pk}/"]
