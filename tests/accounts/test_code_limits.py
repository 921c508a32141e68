"""Mails are counted by recipient mailbox, whichever form caused them."""

import pytest
from django.contrib.auth import get_user
from django.test import Client

from accounts.models import AccountMail
from docbook.http.keyed_digest import mailbox_of
from docbook.http.throttling import enforce, limit_of
from tests.accounts.post import code_in, deliver
from tests.bookings.acts import bookable
from tests.factories import PASSWORD, make_patient, make_user
from tests.limits import allow

pytestmark = pytest.mark.django_db
CODE, CONFIRM = "/accounts/login/code/", "/accounts/login/code/confirm/"
RESET, SIGN_UP = "/accounts/password/reset/", "/accounts/signup/"
NEW = {"first_name": "E", "last_name": "A", "password1": "a long and honest password"}
AN_HOUR, FROM_ONE = 20, 10


@pytest.fixture(autouse=True)
def _quick_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits per minute are tested elsewhere."""
    allow(monkeypatch, accounts=1000)


def browser_at(number: int) -> Client:
    return Client(headers={"X-Forwarded-For": f"192.0.2.{number}"})


def mails_to(email: str) -> int:
    return sum(each.to == [email] for each in deliver())


@pytest.mark.parametrize("path", [CODE, RESET])
@pytest.mark.parametrize("decoy", ["login", "user", "email2"])
def test_second_field_with_another_address_buys_no_further_mail(path: str, decoy: str) -> None:
    email = make_patient().email
    for number in range(40):
        data = {"email": email, decoy: f"decoy-{number}@example.test"}
        browser_at(number).post(path, data)
    assert mails_to(email) == AN_HOUR


@pytest.mark.parametrize("known", [True, False])
def test_one_network_gets_so_many_mails_for_one_mailbox(known: bool) -> None:
    email = make_patient().email if known else "nobody@example.test"
    answers = [Client().post(CODE, {"email": email}) for _ in range(FROM_ONE + 1)]
    assert [each.status_code for each in answers] == [302] * FROM_ONE + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert mails_to(email) == FROM_ONE
    assert Client().post(CODE, {"email": "b@example.test"}).status_code == 302


@pytest.mark.parametrize("known", [True, False])
def test_codes_links_and_notes_to_one_mailbox_share_a_limit(known: bool) -> None:
    email = make_patient().email if known else "nobody@example.test"
    for number in range(12):
        browser_at(number).post(CODE, {"email": email})
        browser_at(number).post(RESET, {"email": email})
        browser_at(number).post(SIGN_UP, NEW | {"email": email})
    assert mails_to(email) == AN_HOUR


def test_codes_of_bookings_count_for_the_mailbox_too() -> None:
    email = make_patient().email
    for _ in range(AN_HOUR - 2):
        enforce(limit_of("codes-to", named=mailbox_of(email)))
    for number in range(6):
        browser_at(number).post(CODE, {"email": email})
    assert mails_to(email) == 2


def test_codes_of_bookings_use_up_no_mail_that_opens_an_account() -> None:
    email = make_patient().email
    visit_type, slots = bookable(count=AN_HOUR + 2)
    for number, slot in enumerate(slots):
        stranger = browser_at(number)
        page = stranger.post("/book/", {"slot": slot.pk, "visit_type": visit_type.pk}).headers
        answer = stranger.post(page["Location"], NEW | {"email": email})
    assert answer.status_code == 429
    for path in (CODE, RESET):
        browser_at(200).post(path, {"email": email})
    noted = AccountMail.objects.values_list("template", flat=True).order_by("template")
    assert list(noted) == ["login_code", "password_reset_key"]


@pytest.mark.parametrize("known", [True, False])
def test_flood_of_codes_leaves_one_link_in_ten_minutes(known: bool) -> None:
    """It is the same for an address without an account."""
    email = make_patient().email if known else "nobody@example.test"
    flood(email)
    pages = [browser_at(each).post(RESET, {"email": email}, follow=True) for each in (200, 201)]
    held_back = ["We have sent several mails to" in page.content.decode() for page in pages]
    assert held_back == [False, True]
    assert mails_to(email) == AN_HOUR + 1


def test_each_resend_counts_like_the_first_code() -> None:
    email = make_patient().email
    for number in range(12):
        browser = browser_at(number)
        browser.post(CODE, {"email": email})
        for _ in range(3):
            browser.post(CONFIRM, {"action": "resend"})
            deliver()
    assert mails_to(email) <= AN_HOUR


def test_codes_to_prove_an_address_are_counted_too() -> None:
    user = make_user(verified=False)
    data = {"login": user.email, "password": PASSWORD}
    answers = [Client().post("/accounts/login/", data).status_code for _ in range(FROM_ONE + 1)]
    assert answers == [302] * FROM_ONE + [429]
    assert mails_to(user.email) == FROM_ONE


def flood(email: str) -> None:
    """Strangers from many networks use up the mails of a mailbox."""
    for number in range(AN_HOUR):
        browser_at(number).post(CODE, {"email": email})


def test_flood_keeps_the_owner_out_of_nothing_and_is_told_of() -> None:
    """No further mail goes out, and the newest code also works in the owner's browser."""
    owner = make_patient()
    flood(owner.email)
    browser = browser_at(200)
    page = browser.post(CODE, {"email": owner.email}, follow=True)
    assert f"We have sent several mails to {owner.email} recently" in page.content.decode()
    assert mails_to(owner.email) == AN_HOUR
    browser.post(CONFIRM, {"code": code_in(deliver()[-1])})
    assert get_user(browser) == owner


def test_flood_leaves_the_password_open_and_a_known_browser_its_own_mails() -> None:
    owner, browser = make_patient(), browser_at(201)
    data = {"login": owner.email, "password": PASSWORD}
    browser.post("/accounts/login/", data)
    browser.post("/accounts/logout/")
    flood(owner.email)
    browser.post(CODE, {"email": owner.email})
    assert mails_to(owner.email) == AN_HOUR + 1
    assert browser_at(202).post("/accounts/login/", data).status_code == 302


def test_flood_looks_the_same_for_an_address_without_an_account() -> None:
    pages = []
    for email in (make_patient().email, "nobody@example.test"):
        flood(email)
        browser = browser_at(203)
        first = browser.post(CODE, {"email": email}, follow=True).content.decode()
        again = browser.post(CONFIRM, {"action": "resend"}, follow=True).content.decode()
        pages.append(
            [text.replace(email, "").count("We have sent several mails") for text in (first, again)]
        )
    assert pages == [[1, 1], [1, 1]]
