"""Each step of the booking pages has a limit per address."""

from dataclasses import replace

import pytest
from django.test import Client

from bookings.models import Hold
from docbook.http.keyed_digest import mailbox_of
from docbook.http.rate_policies import POLICIES
from docbook.http.throttling import count, enforce, limit_of
from docbook.outbox.models import OutboxMessage
from tests.api.client import Api
from tests.bookings.acts import allow_resend, bookable, wrong_code
from tests.factories import make_patient
from tests.limits import allow
from tests.pages.browser import signed_in, words

pytestmark = pytest.mark.django_db

DETAILS = {"first_name": "Saskia", "last_name": "Kuipers", "email": "saskia@example.test"}


@pytest.fixture(autouse=True)
def _two_a_minute(monkeypatch):
    allow(monkeypatch, hold=2, code=2, code_user=2, confirm=2, confirm_user=2)


def tap(browser: Client) -> Hold:
    visit_type, slots = bookable()
    browser.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    return Hold.objects.get()


def ask_for_code(browser: Client, hold: Hold):
    return browser.post(f"/book/{hold.pk}/", DETAILS)


def test_third_tap_of_an_address_in_a_minute_is_refused_and_holds_nothing(settings):
    settings.LIVE_HOLDS_PER_GUEST = 9
    visit_type, slots = bookable()
    answers = [
        Client().post("/book/", {"slot": slot.pk, "visit_type": visit_type.pk})
        for slot in slots[:3]
    ]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert Hold.objects.count() == 2


def test_page_of_too_many_requests_leads_back_to_where_one_was(client):
    hold = tap(client)
    page = f"http://testserver/book/{hold.pk}/"
    for _ in range(2):
        ask_for_code(client, hold)
    refused = client.post(f"/book/{hold.pk}/", DETAILS, headers={"Referer": page})
    assert refused.status_code == 429
    assert f'href="{page}"' in refused.content.decode()
    assert "stays yours until its five minutes are over" in words(refused)
    foreign = {"Referer": "https://elsewhere.example/book/"}
    refused = client.post(f"/book/{hold.pk}/", DETAILS, headers=foreign)
    assert "elsewhere" not in refused.content.decode()
    assert 'href="/doctors/"' in refused.content.decode()


def test_long_wait_is_told_in_minutes_and_a_held_time_only_where_one_is_held(monkeypatch):
    policy = POLICIES["hold"]
    hourly = replace(policy, rate=policy.rate._replace(most=1, seconds=3134))
    monkeypatch.setitem(POLICIES, "hold", hourly)
    tap(signed_in())
    stranger = signed_in()
    visit_type, slots = bookable()
    refused = stranger.post("/book/", {"slot": slots[0].pk, "visit_type": visit_type.pk})
    assert refused.status_code == 429
    assert "You can try again in about 52 minutes." in words(refused)
    assert "five minutes" not in words(refused)


def test_third_sending_of_the_details_in_a_minute_is_refused(client):
    hold = tap(client)
    answers = [
        client.post(f"/book/{hold.pk}/", DETAILS | {"email": f"a{number}@example.test"})
        for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert OutboxMessage.objects.filter(topic="otp.requested").count() == 2


def test_third_code_in_a_minute_is_refused_and_not_looked_at(client):
    hold = tap(client)
    ask_for_code(client, hold)
    wrong = wrong_code(hold)
    answers = [client.post(f"/book/{hold.pk}/code/", {"code": wrong}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert Hold.objects.get().otp_attempts == 2


def test_wish_for_another_code_counts_like_the_first(client):
    hold = tap(client)
    ask_for_code(client, hold)
    answers = []
    for _ in range(2):
        allow_resend(hold)
        answers.append(client.post(f"/book/{hold.pk}/resend/"))
    assert [answer.status_code for answer in answers] == [302, 429]
    assert Hold.objects.get().otp_resends == 1


def test_nobodys_mailbox_is_filled_from_ever_new_browsers(monkeypatch) -> None:
    allow(monkeypatch, hold=99, code=99, code_user=99)
    visit_type, slots = bookable(count=22)
    sent = 0
    for number, slot in enumerate(slots):
        browser = Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})
        page = browser.post("/book/", {"slot": slot.pk, "visit_type": visit_type.pk})
        names = {"first_name": "E", "last_name": "A", "email": "victim@example.test"}
        sent += browser.post(page.headers["Location"], names).status_code == 302
    assert sent == 21
    assert OutboxMessage.objects.filter(topic="otp.requested").count() == 21


def at_home() -> Client:
    """The victim's own browser, at another address."""
    return Client(headers={"X-Forwarded-For": "198.51.100.7"})


def codes() -> int:
    return OutboxMessage.objects.filter(topic="otp.requested").count()


@pytest.mark.parametrize("door", ["page", "api"])
def test_flooded_mailbox_keeps_its_signed_in_owner_from_no_booking(door: str) -> None:
    """Strangers have a separate count for a mailbox; its owner has codes of their own."""
    owner, (visit_type, slots) = make_patient(), bookable()
    for _ in range(20):
        enforce(limit_of("codes-to", named=mailbox_of(owner.email)))
    start = {"visit_type": visit_type.pk, "slot": slots[0].pk}
    if door == "api":
        answer = Api(owner).start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
        assert answer.status_code == 201
    else:
        browser = signed_in(owner)
        page = browser.post("/book/", start).headers["Location"]
        assert browser.post(page, DETAILS).status_code == 302
    assert codes() == 1


def test_guest_at_a_flooded_mailbox_is_told_how_to_go_on(client) -> None:
    hold = tap(client)
    for _ in range(20):
        enforce(limit_of("codes-to", named=mailbox_of(DETAILS["email"])))
    enforce(limit_of("codes-any-case", named=mailbox_of(DETAILS["email"])))
    refused = ask_for_code(client, hold)
    assert refused.status_code == 429
    assert 590 < int(refused.headers["Retry-After"]) <= 600
    assert "We can send the next one in 10 minutes." in words(refused)
    assert "has an account, sign in below" in words(refused)
    assert 'value="sign-in"' in refused.content.decode()


def test_guest_at_a_flooded_mailbox_gets_one_code_in_ten_minutes_in_any_case() -> None:
    visit_type, slots = bookable()
    for name, most in (("codes-to", 20), ("mail-day", 40)):
        for _ in range(most):
            enforce(limit_of(name, named=mailbox_of(DETAILS["email"])))
    answers = []
    for slot in slots[:2]:
        browser = at_home()
        page = browser.post("/book/", {"slot": slot.pk, "visit_type": visit_type.pk})
        answers.append(browser.post(page.headers["Location"], DETAILS).status_code)
    assert answers == [302, 429]
    assert codes() == 1


def test_refused_wishes_give_a_mailbox_nothing_back_for_the_day(monkeypatch) -> None:
    allow(monkeypatch, code=99, codes_to=2, mail_day=4, hold=99)
    mailbox = mailbox_of(DETAILS["email"])
    enforce(limit_of("codes-any-case", named=mailbox))
    for _ in range(2):
        enforce(limit_of("codes-to", named=mailbox))
        enforce(limit_of("mail-day", named=mailbox))
    browser = at_home()
    hold = tap(browser)
    for _ in range(4):
        assert ask_for_code(browser, hold).status_code == 429
    used_up = [count(limit_of("mail-day", named=mailbox)) for _ in range(3)]
    assert used_up == [False, False, True]


@pytest.mark.parametrize("then", ["", "resend/"])
def test_requests_that_send_no_code_use_up_nobodys_mailbox(monkeypatch, then: str) -> None:
    """Otherwise one guest and one mail would lock somebody out for an hour."""
    allow(monkeypatch, code=99, code_user=99)
    visit_type, slots = bookable()
    stranger, start = Client(), {"visit_type": visit_type.pk}
    first = stranger.post("/book/", {"slot": slots[0].pk, **start}).headers["Location"]
    stranger.post(first, DETAILS)
    for _ in range(22):
        stranger.post(f"{first}{then}", DETAILS)
    assert codes() == 1
    victim = at_home()
    mine = victim.post("/book/", {"slot": slots[1].pk, **start}).headers["Location"]
    assert victim.post(mine, DETAILS).status_code == 302
    assert codes() == 2


def test_details_refused_for_the_number_leave_the_mailbox_as_it_was(monkeypatch, settings) -> None:
    """Both are counted at once, and a refused request has sent nothing to either."""
    allow(monkeypatch, codes_to_owner=2, codes_to_phone=1)
    settings.CODE_CHANNEL = "sms"
    patient, (visit_type, slots) = make_patient(), bookable()
    browser, start = signed_in(patient), {"visit_type": visit_type.pk}
    numbers = ["+31655501234", "+31655501234", "+31655501234", "+31655505678"]
    allow(monkeypatch, hold=99, code=99, code_user=99)
    answers = []
    for slot, number in zip(slots, numbers, strict=True):
        page = browser.post("/book/", {"slot": slot.pk, **start}).headers["Location"]
        answers.append(browser.post(page, DETAILS | {"phone": number}).status_code)
        browser.post(f"{page}release/")
    assert answers == [302, 429, 429, 302]
