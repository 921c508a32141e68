"""Wrong codes of bookings are counted against their target: ten a day, over all holds."""

import re
from datetime import time, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import CodeGuesses, User
from bookings import tasks
from bookings.errors import OtpInvalid, OtpLocked, TooManyGuesses
from bookings.holding.codes import derive_long
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold, HoldState
from bookings.waitlist.services.offers import accept_offer
from docbook.http.keyed_digest import target_of
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot, VisitType
from tests.api.client import Api, problem
from tests.bookings.acts import (
    allow_resend,
    as_patient,
    attempt,
    bookable,
    code_of,
    guest,
    wrong_code,
)
from tests.bookings.waitlist.acts import awaited, in_line, release
from tests.concurrency.rush import rush
from tests.factories import PASSWORD, make_patient
from tests.limits import allow
from tests.pages.browser import words

pytestmark = pytest.mark.django_db
VICTIM = "victim@example.test"
DETAILS = {"first_name": "Saskia", "last_name": "Kuipers", "email": VICTIM}
TOO_MANY = "Too many wrong codes were entered for this address today."


@pytest.fixture(autouse=True)
def _quick_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits per minute, and of mails, are tested elsewhere."""
    most = {"hold": 999, "code": 999, "confirm": 999, "codes_to": 999, "mail_day": 999}
    allow(monkeypatch, **most, accounts=999)


def browser_at(number: int) -> Client:
    return Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})


def held_by(browser: Client, slot: Slot, visit_type: VisitType, email: str = VICTIM) -> Hold:
    """A guest holds the time, and a code goes to this mailbox."""
    page = browser.post("/book/", {"slot": slot.pk, "visit_type": visit_type.pk}).headers
    browser.post(page["Location"], DETAILS | {"email": email})
    return Hold.objects.latest("created_at")


def type_code(browser: Client, hold: Hold, code: str) -> Any:
    return browser.post(f"/book/{hold.pk}/code/", {"code": code})


def guess_wrong(*, times: int, email: str = VICTIM, networks: int = 9) -> None:
    """Strangers enter two wrong codes at each of many holds."""
    visit_type, slots = bookable(count=times)
    for number in range(0, times, 2):
        browser = browser_at(number % networks)
        hold = held_by(browser, slots[number], visit_type, email)
        for _ in range(min(2, times - number)):
            type_code(browser, hold, wrong_code(hold))


def newest_mail() -> str:
    message = OutboxMessage.objects.filter(topic="otp.requested").latest("id")
    tasks.send_code([message.pk, message.handed_out])
    return str(mail.outbox[-1].body)


@pytest.mark.parametrize("who", ["strangers", "owner"])
def test_guess_without_a_network_counts_for_strangers_or_for_the_owner(who: str) -> None:
    visit_type, slots = bookable()
    holder = guest() if who == "strangers" else as_patient(make_patient())
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    with pytest.raises(OtpInvalid):
        confirm_booking(hold_id=hold.pk, holder=holder, code=wrong_code(hold))
    assert list(CodeGuesses.objects.values_list("guesser", flat=True)) == [who]


def test_eleventh_guess_over_several_holds_is_refused_even_if_it_is_right() -> None:
    guess_wrong(times=10)
    visit_type, slots = bookable()
    browser = browser_at(100)
    hold = held_by(browser, slots[0], visit_type)
    answer = type_code(browser, hold, code_of(hold))
    assert answer.status_code == 429
    assert 86_000 < int(answer.headers["Retry-After"]) <= 86_400
    assert TOO_MANY in words(answer)
    hold.refresh_from_db()
    assert (hold.state, hold.otp_attempts) == (HoldState.HELD, 0)
    assert not Appointment.objects.exists()


def test_ten_guesses_are_looked_at() -> None:
    guess_wrong(times=9)
    visit_type, slots = bookable()
    browser = browser_at(100)
    hold = held_by(browser, slots[0], visit_type)
    assert type_code(browser, hold, code_of(hold)).status_code == 302
    assert Appointment.objects.filter(pk=hold.pk).exists()


def test_guesses_at_bookings_and_at_signing_in_are_one_count() -> None:
    user = make_patient()
    guess_wrong(times=10, email=user.email)
    browser = browser_at(100)
    browser.post("/accounts/login/code/", {"email": user.email})
    answer = browser.post("/accounts/login/code/confirm/", {"code": "000000"})
    assert "Too many wrong codes were entered for this account today." in words(answer)


def test_owner_of_a_mailbox_that_strangers_guess_at_confirms_with_a_longer_code() -> None:
    guess_wrong(times=10)
    visit_type, slots = bookable()
    browser = browser_at(100)
    hold = held_by(browser, slots[0], visit_type)
    (code,) = re.findall(r"(?m)^Your code: ([A-Z2-7]{4} [A-Z2-7]{4} [A-Z2-7]{4})$", newest_mail())
    page = browser.get(f"/book/{hold.pk}/code/")
    assert "Code, six digits or twelve characters" in words(page)
    assert 'inputmode="numeric"' not in page.content.decode()
    assert type_code(browser, hold, code.lower()).status_code == 302
    assert Appointment.objects.filter(pk=hold.pk).exists()


@pytest.mark.parametrize("guesses", [0, 7])
def test_page_says_nothing_that_does_not_fit_the_code_of_the_mail(guesses: int) -> None:
    """The newest mail may still have six digits when the next one has twelve characters."""
    visit_type, slots = bookable()
    browser = browser_at(100)
    hold = held_by(browser, slots[0], visit_type)
    if guesses:
        guess_wrong(times=guesses)
    page = words(browser.get(f"/book/{hold.pk}/code/"))
    assert "We sent a code to" in page
    assert ("twelve characters" in page) == bool(guesses)
    assert "Enter the code that we sent you." in words(type_code(browser, hold, ""))
    assert "Enter the whole code as we sent it." in words(type_code(browser, hold, "ABC"))
    assert type_code(browser, hold, code_of(hold)).status_code == 302


def test_owner_whose_code_of_six_digits_became_worthless_asks_for_a_longer_one() -> None:
    visit_type, slots = bookable()
    browser = browser_at(100)
    hold = held_by(browser, slots[0], visit_type)
    guess_wrong(times=10)
    assert "Send a new code" in words(type_code(browser, hold, code_of(hold)))
    allow_resend(hold)
    browser.post(f"/book/{hold.pk}/resend/")
    (code,) = re.findall(r"(?m)^Your code: ([A-Z2-7 ]{14})$", newest_mail())
    assert type_code(browser, hold, code).status_code == 302
    assert Appointment.objects.filter(pk=hold.pk).exists()


def test_mail_has_six_digits_while_nobody_guesses() -> None:
    visit_type, slots = bookable()
    held_by(browser_at(1), slots[0], visit_type)
    assert re.search(r"(?m)^Your code: \d{6}$", newest_mail())


def test_long_code_of_another_hold_or_resend_opens_nothing(settings) -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    key = settings.OTP_KEYS[0]
    for other in ((UUID(int=1), 0), (hold.pk, 1)):
        code = derive_long(key=key, hold_id=other[0], resend=other[1])
        with pytest.raises(OtpInvalid):
            confirm_booking(hold_id=hold.pk, holder=holder, code=code)


def test_known_browser_keeps_its_own_guesses() -> None:
    user, browser = make_patient(), browser_at(100)
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    browser.post("/accounts/logout/")
    guess_wrong(times=10, email=user.email)
    visit_type, slots = bookable()
    hold = held_by(browser, slots[0], visit_type, user.email)
    assert type_code(browser, hold, wrong_code(hold)).status_code == 302
    assert type_code(browser, hold, code_of(hold)).status_code == 302
    assert Appointment.objects.filter(pk=hold.pk).exists()


def started(api: Api, slot: Slot, visit_type: VisitType) -> Hold:
    answer = api.start(slot_id=slot.pk, visit_type_id=visit_type.pk)
    return Hold.objects.get(pk=answer.json()["attemptId"])


def test_strangers_use_up_nothing_of_a_patient_who_is_signed_in() -> None:
    user = make_patient()
    guess_wrong(times=10, email=user.email)
    visit_type, slots = bookable()
    hold = started(Api(user), slots[0], visit_type)
    assert Api(user).verify(hold.pk, code_of(hold)).status_code == 200
    browser = browser_at(100)
    browser.force_login(user)
    hold = held_by(browser, slots[1], visit_type)
    assert type_code(browser, hold, code_of(hold)).status_code == 302
    assert Appointment.objects.filter(patient=user).count() == 2


def test_eleventh_guess_of_a_patient_by_the_api_is_refused_even_if_it_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(monkeypatch, codes_to_owner=999)
    user = make_patient()
    api, (visit_type, slots) = Api(user), bookable()
    for slot in slots[:2]:
        hold = started(api, slot, visit_type)
        for _ in range(5):
            api.verify(hold.pk, wrong_code(hold))
    hold = started(api, slots[2], visit_type)
    answer = api.verify(hold.pk, code_of(hold))
    problem(answer, code="rate-limited", status=429)
    assert 86_000 < int(answer.headers["Retry-After"]) <= 86_400
    browser = browser_at(1)
    browser.force_login(user)
    page = type_code(browser, hold, code_of(hold))
    assert page.status_code == 429
    assert "You have entered too many wrong codes today." in words(page)


def test_guesses_of_yesterday_do_not_count() -> None:
    guess_wrong(times=10)
    CodeGuesses.objects.update(since=timezone.now() - timedelta(days=1, seconds=1))
    visit_type, slots = bookable()
    browser = browser_at(100)
    hold = held_by(browser, slots[0], visit_type)
    type_code(browser, hold, wrong_code(hold))
    assert CodeGuesses.objects.get(guesser="strangers").count == 1
    assert type_code(browser, hold, code_of(hold)).status_code == 302


def test_one_network_cannot_use_up_the_guesses_of_all() -> None:
    guess_wrong(times=9, networks=1)
    visit_type, slots = bookable()
    browser = browser_at(100)
    hold = held_by(browser, slots[0], visit_type)
    assert type_code(browser, hold, code_of(hold)).status_code == 302


def test_other_mailbox_is_not_concerned() -> None:
    guess_wrong(times=10)
    visit_type, slots = bookable()
    browser = browser_at(100)
    hold = held_by(browser, slots[0], visit_type, "other@example.test")
    assert type_code(browser, hold, code_of(hold)).status_code == 302


def test_address_that_was_changed_is_the_one_that_counts() -> None:
    """The code went to the mailbox in the hold, whatever it was before."""
    visit_type, slots = bookable()
    browser = browser_at(1)
    hold = held_by(browser, slots[0], visit_type, "decoy@example.test")
    browser.post(f"/book/{hold.pk}/", DETAILS)
    type_code(browser, hold, wrong_code(hold))
    assert CodeGuesses.objects.filter(guesser="strangers").get().target == target_of(VICTIM)


def test_offer_is_accepted_without_a_code_whatever_was_guessed(settings) -> None:
    settings.WAITLIST_QUIET_HOURS = (time(0), time(0))
    wanted, free = awaited()
    in_line(wanted, count=1)
    (offer,) = release(*free)
    assert offer.patient is not None
    user: User = offer.patient
    api, (visit_type, slots) = Api(user), bookable()
    for slot in slots[:2]:
        hold = started(api, slot, visit_type)
        for _ in range(5):
            api.verify(hold.pk, wrong_code(hold))
    assert accept_offer(offer_id=offer.pk, patient=user).pk == offer.pk


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_over_many_holds_ten_are_looked_at() -> None:
    visit_type, slots = bookable(count=14)
    holders = [guest() for _ in slots]
    holds = [
        attempt(slot, visit_type=visit_type, holder=holder, email=VICTIM)
        for slot, holder in zip(slots, holders, strict=True)
    ]

    def guess(number: int) -> object:
        hold = holds[number]
        return confirm_booking(hold_id=hold.pk, holder=holders[number], code=wrong_code(hold))

    refused = [type(each) for each in rush(guess, list(range(len(holds))))]
    assert refused.count(OtpInvalid) == 10
    assert refused.count(TooManyGuesses) == 4
    assert OtpLocked not in refused
    assert CodeGuesses.objects.get().count == 10
