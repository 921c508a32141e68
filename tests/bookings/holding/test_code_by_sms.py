"""With CODE_CHANNEL=sms, a signed-in patient's code goes to their phone, otherwise by mail."""

from collections.abc import Iterator

import pytest

from bookings import tasks
from bookings.models import Hold
from docbook.notify.masking import masked_phone
from docbook.outbox.models import OutboxMessage
from docbook.outbox.selectors import outbox_status
from doctors.templatetags.clinic_time import clock
from tests.api.client import Api
from tests.bookings.acts import as_patient, ask_for_code, attempt, book, bookable, code_of, guest
from tests.factories import make_patient, make_slots, tomorrow_at
from tests.limits import allow
from tests.notify.provider import Provider, provider_on_loopback
from tests.pages.browser import signed_in, words
from tests.smtp import Post, post_office

pytestmark = pytest.mark.django_db

PHONE, NUMBER = "+31 6 5550 1234", "+31655501234"


@pytest.fixture
def twilio(settings) -> Iterator[Provider]:
    settings.CODE_CHANNEL = "sms"
    with provider_on_loopback() as provider:
        settings.SMS_URL = provider.url
        yield provider


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as post:
        yield post


def asked_by_a_patient(**details: str) -> Hold:
    visit_type, slots = bookable()
    holder = as_patient(make_patient())
    return attempt(slots[0], visit_type=visit_type, holder=holder, **details)


def work() -> OutboxMessage:
    message = OutboxMessage.objects.filter(topic="otp.requested").latest("id")
    tasks.send_code([message.pk, message.handed_out])
    message.refresh_from_db()
    return message


def channels(message: OutboxMessage) -> list[str]:
    delivered = message.deliveries.filter(delivered_at__isnull=False)
    return list(delivered.values_list("channel", flat=True))


def test_code_goes_to_the_phone_and_not_by_mail(twilio, post) -> None:
    hold = asked_by_a_patient()
    message = work()
    (asked,) = twilio.asked
    until = clock(hold.expires_at, hold.clinic.zone)
    assert asked.form["To"] == NUMBER
    assert asked.form["Body"] == (
        f"{code_of(hold)} is your DocBook code. Valid until {until}. Do not share it."
    )
    assert post.mails == []
    assert channels(message) == ["sms"]
    assert message.done_at is not None


@pytest.mark.parametrize("status", [400, 429, 503])
def test_code_that_the_provider_does_not_take_goes_by_mail_at_once(twilio, post, status) -> None:
    twilio.answer = lambda _asked: (status, {"code": 1, "message": NUMBER, "status": status})
    hold = asked_by_a_patient()
    message = work()
    assert message.done_at is not None
    assert channels(message) == ["email"]
    (mail,) = post.mails
    assert code_of(hold)[:3] in mail.as_string()


def test_code_that_went_by_mail_is_not_texted_when_the_provider_is_back(twilio, post) -> None:
    twilio.answer = lambda _asked: (503, {"code": 1, "message": "", "status": 503})
    asked_by_a_patient()
    message = work()
    OutboxMessage.objects.filter(pk=message.pk).update(done_at=None)
    work()
    assert (len(twilio.asked), len(post.mails)) == (1, 1)
    assert outbox_status().duplicates == 0


def test_guest_proves_the_address_that_was_typed_and_never_with_a_phone(twilio, post) -> None:
    """Otherwise a code on anybody's phone would open the account of anybody's address."""
    visit_type, slots = bookable()
    attempt(slots[0], visit_type=visit_type, holder=guest())
    work()
    assert twilio.asked == []
    assert [mail["To"] for mail in post.mails] == ["saskia.kuipers@example.test"]


@pytest.mark.parametrize("phone", ["", "06 5550 1234"])
def test_patient_without_a_number_that_can_be_dialled_gets_mail(twilio, post, phone: str) -> None:
    asked_by_a_patient(phone=phone)
    assert channels(work()) == ["email"]


def test_with_the_channel_email_nothing_is_texted(twilio, post, settings) -> None:
    settings.CODE_CHANNEL = "email"
    asked_by_a_patient()
    assert channels(work()) == ["email"]
    assert twilio.asked == []


def test_another_number_gets_a_new_code_and_the_same_gets_nothing_twice(twilio, post) -> None:
    visit_type, slots = bookable()
    holder = as_patient(make_patient())
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    first = code_of(hold)
    ask_for_code(hold, holder=holder, phone="0031 6 5550 1234")
    assert code_of(hold) == first
    ask_for_code(hold, holder=holder, phone="+31 6 5550 9999")
    assert code_of(hold) != first
    work()
    assert twilio.asked[-1].form["To"] == "+31655509999"


def test_api_says_by_which_channel_and_where_to(twilio) -> None:
    patient = make_patient(phone=PHONE)
    visit_type, slots = bookable()
    started = Api(patient).start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
    assert started.status_code == 201
    otp = started.json()["otp"]
    assert (otp["channel"], otp["sentTo"]) == ("sms", "•••• 34")


def test_api_says_email_to_a_patient_without_a_number(twilio) -> None:
    patient = make_patient(email="anna@example.test", phone="06 5550 1234")
    visit_type, slots = bookable()
    otp = Api(patient).start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()["otp"]
    assert (otp["channel"], otp["sentTo"]) == ("email", "a•••a@example.test")


def test_repeat_with_the_same_key_is_answered_with_the_same_number(twilio) -> None:
    caller, (visit_type, slots) = Api(make_patient(phone=PHONE)), bookable()
    slot = {"slot_id": slots[0].pk, "visit_type_id": visit_type.pk}
    first, again = (caller.start(**slot, key="k-1") for _ in range(2))
    assert first.content == again.content
    assert "5550" not in first.content.decode()


@pytest.mark.parametrize("door", ["api", "page"])
def test_number_that_has_got_very_many_codes_gets_no_more(twilio, monkeypatch, door: str) -> None:
    """Counted over all accounts, because many may name the same number."""
    allow(monkeypatch, codes_to_phone=1)
    visit_type, slots = bookable()
    start = {"visit_type_id": visit_type.pk}
    first = Api(make_patient(phone=PHONE)).start(slot_id=slots[0].pk, **start)
    assert first.status_code == 201
    other = make_patient(phone=PHONE)
    if door == "api":
        refused = Api(other).start(slot_id=slots[1].pk, **start)
    else:
        browser = signed_in(other)
        data = {"slot": slots[1].pk, "visit_type": visit_type.pk}
        page = browser.post("/book/", data).headers["Location"]
        given = {"first_name": "Anna", "last_name": "Smit", "phone": "0031 655501234"}
        refused = browser.post(page, given)
    assert refused.status_code == 429
    assert OutboxMessage.objects.filter(topic="otp.requested").count() == 1


def test_code_of_a_move_counts_for_the_number_as_any_other(twilio, monkeypatch) -> None:
    allow(monkeypatch, codes_to_phone=2)  # the first is that of the visit itself
    visit_type, _none = bookable(count=0, change_notice_minutes=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=3)
    patient = make_patient()
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient), phone=PHONE)
    OutboxMessage.objects.all().delete()
    browser, taps = signed_in(patient), []
    for slot in slots[1:]:
        data = {"slot": slot.pk, "visit_type": visit_type.pk, "replaces": visit.pk}
        taps.append(browser.post("/book/", data).headers["Location"])
    assert [tap.endswith("/code/") for tap in taps] == [True, False]
    assert OutboxMessage.objects.filter(topic="otp.requested").count() == 1


def test_page_says_where_the_code_went(twilio) -> None:
    patient = make_patient()
    visit_type, slots = bookable()
    browser = signed_in(patient)
    data = {"slot": slots[0].pk, "visit_type": visit_type.pk}
    page = browser.post("/book/", data).headers["Location"]
    assert "We send the code to your phone if the number begins with +" in words(browser.get(page))
    given = {"first_name": "Anna", "last_name": "Smit", "phone": PHONE}
    said = words(browser.post(page, given, follow=True))
    assert "Enter the code from your phone" in said
    assert "We sent a code to •••• 34" in said
    assert "5550" not in said


def test_masked_number_shows_two_digits() -> None:
    assert masked_phone(NUMBER) == "•••• 34"
