"""From the tap on a time to the confirmation, on pages without scripts."""

from typing import Any

import pytest
from django.contrib.auth import get_user
from django.core import mail
from django.test import Client
from icalendar import Calendar

from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.views import booking
from bookings.models import Appointment, Hold, HoldState
from bookings.models.holds import MAX_CODE_RESENDS
from doctors.models import Slot
from tests.bookings.acts import (
    allow_resend,
    as_patient,
    book,
    bookable,
    code_of,
    guest,
    let_expire,
    wrong_code,
)
from tests.days_said import day_said
from tests.factories import PASSWORD, make_patient, make_visit_type
from tests.limits import allow
from tests.pages.browser import HTMX, offered_slots, signed_in, typed, words

pytestmark = pytest.mark.django_db

DETAILS = {
    "first_name": "Saskia",
    "last_name": "Kuipers",
    "email": "saskia@example.test",
    "phone": "+31 6 5550 1234",
    "reason": "A rash",
}


def tap(browser: Client, *, first: int = 0) -> tuple[Hold, str]:
    """Taps a time; returns the hold, and the address of its details."""
    visit_type, slots = bookable()
    data = {"slot": slots[first].pk, "visit_type": visit_type.pk}
    response = browser.post("/book/", data)
    assert response.status_code == 302, response.content
    return Hold.objects.latest("created_at"), response.headers["Location"]


def type_details(browser: Client, **changes: str) -> tuple[Hold, str]:
    """Taps and enters the details; returns the hold, and the address of its code page."""
    hold, page = tap(browser)
    response = browser.post(page, DETAILS | changes)
    assert response.headers["Location"] == f"{page}code/"
    hold.refresh_from_db()
    return hold, f"{page}code/"


def confirm(browser: Client, **changes: str) -> Appointment:
    hold, page = type_details(browser, **changes)
    response = browser.post(page, {"code": code_of(hold)})
    assert response.headers["Location"] == f"/appointments/{hold.pk}/?confirmed=1"
    return Appointment.objects.get(pk=hold.pk)


@pytest.mark.parametrize(
    ("who", "said"), [("guest", "Not your address?"), ("patient", "Change the details")]
)
def test_only_who_typed_the_address_is_asked_whether_it_is_theirs(who: str, said: str) -> None:
    """The page behind the link cannot change an account's address."""
    browser = signed_in(make_patient() if who == "patient" else None)
    _hold, page = type_details(browser)
    text = words(browser.get(page))
    assert [each for each in ("Not your address?", "Change the details") if each in text] == [said]


def test_guest_comes_from_a_tap_to_a_confirmed_appointment() -> None:
    browser = signed_in()
    hold, page = tap(browser)
    assert hold.guest_key is not None
    shown = browser.get(page)
    assert "Who is coming?" in words(shown)
    assert "Dr Emma Visser" in words(shown)
    assert browser.post(page, DETAILS).headers["Location"] == f"{page}code/"
    asked = browser.get(f"{page}code/")
    assert "s•••a@example.test" in words(asked)
    assert "saskia@example.test" not in words(asked)
    done = browser.post(f"{page}code/", {"code": code_of(hold)}, follow=True)
    assert "Your appointment is confirmed" in words(done)
    assert "Saskia Kuipers" in words(done)
    appointment = Appointment.objects.get()
    assert (appointment.patient.email, appointment.reason) == ("saskia@example.test", "A rash")


def test_patient_is_not_asked_for_the_address_that_is_known() -> None:
    patient = make_patient(phone="+31 30 555 0100")
    browser = signed_in(patient)
    hold, page = tap(browser)
    assert hold.patient == patient
    shown = browser.get(page)
    assert patient.email in words(shown)
    assert typed(shown)["first_name"] == "Noor"
    assert typed(shown)["phone"] == "+31 30 555 0100"
    assert "email" not in typed(shown)
    browser.post(page, DETAILS | {"email": "thief@example.test"})
    hold.refresh_from_db()
    assert hold.email == patient.email


@pytest.mark.parametrize("code", ["{} {}", "{}-{}", " {}{} ", "{}\t{}"])
def test_code_is_taken_as_people_paste_it(code: str) -> None:
    browser = signed_in()
    hold, page = type_details(browser)
    digits = code_of(hold)
    response = browser.post(page, {"code": code.format(digits[:3], digits[3:])})
    assert response.status_code == 302


WRONG_DETAILS = {
    "no name": ({"first_name": ""}, "first_name"),
    "long name": ({"last_name": "x" * 81}, "last_name"),
    "no address": ({"email": ""}, "email"),
    "half an address": ({"email": "saskia@"}, "email"),
    "address with a line break": ({"email": "a@example.test\nBcc: b@example.test"}, "email"),
    "letters as phone": ({"phone": "call me"}, "phone"),
    "long reason": ({"reason": "x" * 501}, "reason"),
}


@pytest.mark.parametrize(("change", "field"), WRONG_DETAILS.values(), ids=WRONG_DETAILS)
def test_wrong_details_keep_what_was_typed_and_write_nothing(change: Any, field: str) -> None:
    browser = signed_in()
    hold, page = tap(browser)
    given = DETAILS | change
    response = browser.post(page, given)
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.content.decode()
    assert 'aria-invalid="true"' in response.content.decode()
    kept = typed(response)
    assert {name: kept[name] for name in given} == {
        name: value.strip().replace("\n", "\n") for name, value in given.items()
    }
    hold.refresh_from_db()
    assert hold.code_sent_at is None
    assert hold.email == ""


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "9" * 21])
def test_code_that_is_none_is_said_at_its_field_and_costs_no_try(code: str) -> None:
    browser = signed_in()
    hold, page = type_details(browser)
    response = browser.post(page, {"code": code})
    assert response.status_code == 422
    assert 'id="id_code_error"' in response.content.decode()
    hold.refresh_from_db()
    assert hold.otp_attempts == 0


def test_wrong_code_leaves_an_empty_field_and_a_reload_that_tries_nothing() -> None:
    browser = signed_in()
    hold, page = type_details(browser)
    response = browser.post(page, {"code": wrong_code(hold)})
    for _reload in range(2):
        shown = browser.get(response.headers["Location"])
        assert typed(shown)["code"] == ""
        assert 'aria-invalid="true"' in shown.content.decode()
        assert "That is not the code we sent. 4 tries left." in words(shown)
    hold.refresh_from_db()
    assert hold.otp_attempts == 1


def test_address_of_a_wrong_code_says_nothing_where_none_was_typed() -> None:
    browser = signed_in()
    _hold, page = type_details(browser)
    assert "That is not the code we sent." not in words(browser.get(f"{page}?wrong=1"))


def test_details_can_be_corrected_from_the_code_page_and_stand_there_again() -> None:
    browser = signed_in()
    hold, page = type_details(browser, email="typo@example.test")
    details = page.removesuffix("code/")
    again = browser.get(details)
    assert typed(again)["email"] == "typo@example.test"
    assert typed(again)["reason"] == "A rash"
    browser.post(details, DETAILS)
    hold.refresh_from_db()
    assert (hold.email, hold.otp_resends) == ("saskia@example.test", 1)


def test_address_that_was_changed_too_often_is_said_and_kept() -> None:
    browser = signed_in()
    hold, page = type_details(browser)
    details = page.removesuffix("code/")
    Hold.objects.filter(pk=hold.pk).update(otp_resends=MAX_CODE_RESENDS)
    response = browser.post(details, DETAILS | {"email": "again@example.test"})
    assert response.status_code == 429
    assert "We cannot send another code right now. The last one still works." in words(response)
    assert typed(response)["email"] == "again@example.test"


def test_new_code_is_sent_after_half_a_minute_and_the_page_says_so() -> None:
    browser = signed_in()
    hold, page = type_details(browser)
    resend = page.replace("code/", "resend/")
    early = browser.post(resend, follow=True)
    assert "seconds. The last one still works." in words(early)
    allow_resend(hold)
    late = browser.post(resend, follow=True)
    assert "A new code is on its way to s•••a@example.test" in words(late)


def test_time_is_given_back_and_offered_again() -> None:
    browser = signed_in()
    hold, page = tap(browser)
    response = browser.post(f"{page}release/")
    assert "#" not in response.headers["Location"]  # it would scroll past the message
    response = browser.get(response.headers["Location"])
    assert "The time is free again" in words(response)
    assert hold.slot_ids[0] in offered_slots(response)
    assert Hold.objects.get().state == HoldState.RELEASED


@pytest.mark.parametrize(
    ("notice", "said"),
    [(60, "Free changes until"), (5 * 24 * 60, "Online changes close 120 hours before.")],
)
def test_until_when_it_can_be_changed_is_said_before_it_is_booked(notice: int, said: str) -> None:
    visit_type, slots = bookable(change_notice_minutes=notice)
    tap = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    assert said in words(signed_in().post("/book/", tap, follow=True))


@pytest.mark.parametrize("way", ["login", "login/code", "signup"])
def test_sign_in_on_the_way_says_which_time_waits_and_until_when(way: str) -> None:
    browser = signed_in()
    hold, _page = tap(browser)
    until = hold.expires_at.astimezone(hold.clinic.zone)
    page = browser.get(f"/accounts/{way}/")
    assert f"Held for you until {until:%H:%M}" in words(page)
    assert f'href="/book/{hold.pk}/">Continue booking</a>' in page.content.decode()
    assert "Held for you" not in words(signed_in().get(f"/accounts/{way}/"))


def test_from_the_sign_in_somebody_with_a_code_goes_back_to_the_code() -> None:
    browser = signed_in()
    hold, _page = type_details(browser)
    page = browser.get("/accounts/login/").content.decode()
    assert f'href="/book/{hold.pk}/code/">Continue booking</a>' in page


def test_second_tap_of_a_guest_leads_back_to_the_first_time() -> None:
    browser = signed_in()
    hold, _page = tap(browser)
    slot = Slot.objects.exclude(pk__in=hold.slot_ids).first()
    data = {"slot": slot.pk, "visit_type": hold.visit_type_id}
    response = browser.post("/book/", data)
    assert response.status_code == 409
    assert "You are already holding a time." in words(response)
    assert f'href="/book/{hold.pk}/"' in response.content.decode()
    assert f'action="/book/{hold.pk}/release/"' in response.content.decode()


def test_who_has_been_sent_a_code_goes_on_at_the_code() -> None:
    browser = signed_in(make_patient())
    hold, page = type_details(browser)
    another = make_visit_type(doctor=hold.doctor)
    for shown in (
        browser.post("/book/", {"slot": hold.slot_ids[0], "visit_type": another.pk}),
        browser.get("/appointments/"),
        browser.get(f"/doctors/{hold.doctor.slug}/"),
    ):
        assert f'href="{page}"' in shown.content.decode()


def test_lost_race_shows_the_fresh_list_with_just_taken_in_its_place() -> None:
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=guest())
    response = signed_in().post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    assert response.status_code == 409
    day = slots[0].starts_at.astimezone(slots[0].clinic.zone)
    said = f"{day_said(day)}, {day:%H:%M} was just taken by somebody else."
    assert f"{said} See all times of that day. Still free:" in words(response)
    assert offered_slots(response) == [slot.pk for slot in slots[1:]]


@pytest.mark.parametrize("step", ["", "code/"])
def test_page_of_a_hold_that_is_over_shows_the_free_times_instead(step: str) -> None:
    browser = signed_in()
    hold, page = type_details(browser)
    let_expire(hold)
    response = browser.get(page.removesuffix("code/") + step)
    assert response.status_code == 410
    assert "The five minutes are over" in words(response)
    assert hold.slot_ids[0] in offered_slots(response)


@pytest.mark.parametrize("step", ["", "code/"])
def test_page_of_a_confirmed_booking_leads_to_the_appointment(step: str) -> None:
    browser = signed_in()
    appointment = confirm(browser)
    response = browser.get(f"/book/{appointment.pk}/{step}")
    assert response.headers["Location"] == f"/appointments/{appointment.pk}/"


def test_code_page_before_the_details_leads_to_the_details() -> None:
    browser = signed_in()
    _hold, page = tap(browser)
    assert browser.get(f"{page}code/").headers["Location"] == page


def test_htmx_is_told_to_go_to_the_next_page_and_not_to_put_it_into_the_picker() -> None:
    visit_type, slots = bookable()
    data = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    response = signed_in().post("/book/", data, headers=HTMX)
    assert response.status_code == 200
    assert response.headers["HX-Redirect"] == f"/book/{Hold.objects.get().pk}/"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"slot": "x", "visit_type": "1"},
        {"slot": "-1", "visit_type": "1"},
        {"slot": "9" * 30, "visit_type": "1"},
        {"slot": "1"},
        {"slot": "１", "visit_type": "１.5"},
    ],
)
def test_tap_that_no_page_of_ours_sends_is_a_bad_request(data: dict[str, str]) -> None:
    response = signed_in().post("/book/", data)
    assert response.status_code == 400
    assert not Hold.objects.exists()


def test_reload_of_the_address_of_a_tap_leads_to_the_doctors() -> None:
    assert signed_in().get("/book/").headers["Location"] == "/doctors/"


@pytest.mark.parametrize("step", ["release/", "resend/"])
def test_get_changes_nothing(step: str) -> None:
    browser = signed_in()
    hold, page = type_details(browser)
    allow_resend(hold)
    assert browser.get(page.replace("code/", step)).status_code == 405
    hold.refresh_from_db()
    assert (hold.state, hold.otp_resends) == (HoldState.HELD, 0)


@pytest.mark.parametrize("who", ["guest", "patient", "patient of the doctor"])
@pytest.mark.parametrize("step", ["", "code/", "resend/", "release/"])
def test_stranger_finds_nothing_and_changes_nothing(who: str, step: str) -> None:
    hold, page = type_details(signed_in())
    allow_resend(hold)
    stranger = signed_in(None if who == "guest" else make_patient())
    if who == "patient of the doctor":
        visit_type, slots = bookable()
        book(slots[0], visit_type=visit_type, holder=as_patient(get_user(stranger)))
    path = page.replace("code/", step)
    answers = [stranger.post(path, DETAILS | {"code": code_of(hold)})]
    if step in {"", "code/"}:
        answers.append(stranger.get(path))
    for response in answers:
        assert response.status_code == 404
        assert "Saskia" not in words(response)
    hold.refresh_from_db()
    assert (hold.state, hold.otp_attempts, hold.otp_resends) == (HoldState.HELD, 0, 0)


@pytest.mark.parametrize("step", ["", "code/"])
def test_pages_of_a_booking_are_kept_by_no_cache(step: str) -> None:
    browser = signed_in()
    _hold, page = type_details(browser)
    headers = browser.get(page.removesuffix("code/") + step).headers
    assert headers["Cache-Control"] == "no-store"
    assert "HX-Request" in headers["Vary"]


def test_first_booking_signs_the_guest_in_to_the_account_it_has_opened() -> None:
    browser = signed_in()
    appointment = confirm(browser)
    assert get_user(browser) == appointment.patient
    assert "Dr Emma Visser" in words(browser.get("/appointments/"))
    confirmed = browser.get(f"/appointments/{appointment.pk}/?confirmed=1")
    assert "sign in with a code" in words(confirmed)


def test_who_has_a_password_is_told_of_no_code_to_come_back_with() -> None:
    browser = signed_in(make_patient())
    visit = confirm(browser)
    confirmed = browser.get(f"/appointments/{visit.pk}/?confirmed=1")
    assert "sign in with a code" not in words(confirmed)


def test_booking_for_a_used_account_shows_the_visit_but_signs_nobody_in() -> None:
    """The code proves the address, not the person: only its owner may open an old account."""
    owner = make_patient(email=DETAILS["email"])
    signed_in(owner)
    browser = signed_in()
    appointment = confirm(browser)
    assert appointment.patient == owner
    assert get_user(browser).is_anonymous
    confirmed = browser.get(f"/appointments/{appointment.pk}/?confirmed=1")
    assert "To find it again, sign in with a code sent to s•••a@example.test ." in words(confirmed)
    assert browser.get(f"/appointments/{appointment.pk}/").status_code == 200
    assert browser.get("/appointments/").status_code == 302


def test_second_booking_of_the_same_guest_from_elsewhere_signs_nobody_in() -> None:
    confirm(signed_in())
    Slot.objects.all().delete()
    Appointment.objects.all().update(status="cancelled", version=2)
    browser = signed_in()
    confirm(browser)
    assert get_user(browser).is_anonymous


def test_guest_who_signs_in_half_way_keeps_the_time_and_books_for_the_account() -> None:
    patient = make_patient()
    browser = signed_in()
    hold, page = tap(browser)
    credentials = {"login": patient.email, "password": PASSWORD, "next": page}
    response = browser.post("/accounts/login/", credentials)
    assert response.headers["Location"] == page
    assert patient.email in words(browser.get(page))
    browser.post(page, DETAILS)
    hold.refresh_from_db()
    assert (hold.patient, hold.email) == (patient, patient.email)
    browser.post(f"{page}code/", {"code": code_of(hold)})
    assert patient.appointments.count() == 1


def test_guest_who_signs_out_again_has_left_the_hold_behind() -> None:
    patient = make_patient()
    browser = signed_in(patient)
    _hold, page = type_details(browser)
    browser.post("/accounts/logout/")
    assert browser.get(page).status_code == 404


def test_calendar_file_is_a_download_that_calendars_can_read() -> None:
    browser = signed_in()
    appointment = confirm(browser)
    response = browser.get(f"/appointments/{appointment.pk}/calendar.ics")
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    assert response.headers["Cache-Control"] == "no-store"
    (event,) = Calendar.from_ical(response.content).walk("VEVENT")
    assert event["DTSTART"].dt == appointment.starts_at
    assert str(appointment.pk) in event["URL"]


def test_code_is_in_the_mail_only_and_on_no_page() -> None:
    browser = signed_in()
    hold, page = type_details(browser)
    assert code_of(hold) not in browser.get(page).content.decode()
    assert mail.outbox == []  # the worker sends it, not the request


@pytest.mark.parametrize("step", ["", "resend/"])
def test_step_of_a_visit_that_another_tab_has_just_confirmed_leads_to_the_visit(
    step: str, monkeypatch
) -> None:
    """And not to "your time is over", which would make them book it twice."""
    patient = make_patient()
    browser = signed_in(patient)
    hold, _page = type_details(browser)
    allow_resend(hold)
    name = "resend_code" if step else "request_code"
    real = getattr(booking, name)

    def late(*given: Any, **named: Any) -> Any:
        confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))
        return real(*given, **named)

    monkeypatch.setattr(booking, name, late)
    response = browser.post(f"/book/{hold.pk}/{step}", DETAILS | {"phone": "030 555 0100"})
    assert response.headers["Location"] == f"/appointments/{hold.pk}/"


def test_thirty_first_code_of_a_patient_in_a_minute_is_refused_whatever_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(monkeypatch, guess_known=999)
    browser = signed_in(make_patient())
    hold, page = type_details(browser)
    for number in range(31):
        address = {"X-Forwarded-For": f"192.0.2.{number}"}
        Hold.objects.filter(pk=hold.pk).update(otp_attempts=0)
        response = browser.post(page, {"code": wrong_code(hold)}, headers=address)
        assert response.status_code == (429 if number == 30 else 302), number


def test_guest_whose_address_has_a_closed_account_is_told_so() -> None:
    closed = make_patient(is_active=False)
    browser = Client()
    hold, page = type_details(browser, email=closed.email)
    refused = browser.post(page, {"code": code_of(hold)})
    assert refused.status_code == 401
    assert "The account with this e-mail address is disabled." in words(refused)
    assert not Appointment.objects.exists()


def test_what_was_typed_survives_a_minute_of_too_many_requests(monkeypatch) -> None:
    allow(monkeypatch, code=1)
    browser = Client()
    _first, first_page = tap(browser)
    assert browser.post(first_page, DETAILS).status_code == 302
    other = Client()
    _second, page = tap(other)
    assert other.post(page, DETAILS | {"first_name": "Quirina"}).status_code == 429
    assert 'value="Quirina"' in other.get(page).content.decode()


def test_time_that_was_given_back_is_not_said_to_have_run_out() -> None:
    browser = signed_in(make_patient())
    hold, page = type_details(browser)
    browser.post(f"/book/{hold.pk}/release/")
    shown = words(browser.get(page))
    start = hold.starts_at.astimezone(hold.clinic.zone)
    assert f"You gave {start:%H:%M} back." in shown
    assert "five minutes are over" not in shown
