"""Text messages go once to the provider in SMS_URL, and name nobody on the way."""

from collections.abc import Callable, Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured

from devstack.ports import LOOPBACK, free_port
from docbook.notify.phone_numbers import international
from docbook.notify.sms import SmsFailed, SmsRefused, Text, send_texts
from docbook.outbox.models import OutboxMessage
from docbook.outbox.selectors import outbox_status
from docbook.settings.environment import code_channel, optional_secret, sms_url
from tests.notify.provider import TAKEN, Asked, Provider, provider_on_loopback
from tests.outbox.relay import tell
from tests.smtp import post_office

pytestmark = pytest.mark.django_db

NUMBER, TEXT = "+31655501234", "123456 is your DocBook code."


@pytest.fixture
def twilio(settings) -> Iterator[Provider]:
    with provider_on_loopback() as provider:
        settings.SMS_URL = provider.url
        yield provider


@pytest.fixture
def message() -> OutboxMessage:
    return tell("a")


def send(message: OutboxMessage) -> None:
    for error in send_texts({message.pk: Text(NUMBER, TEXT)}).values():
        raise error


def says(status: int) -> Callable[[Asked], tuple[int, dict[str, object]]]:
    sentence = f"The 'To' number {NUMBER} is not valid."
    return lambda _asked: (status, {"code": 21211, "message": sentence, "status": status})


def test_twilio_gets_number_sender_and_text_with_our_login(twilio, message) -> None:
    send(message)
    assert twilio.asked == [
        Asked(
            path="/2010-04-01/Accounts/AC123/Messages.json",
            login="AC123:pa/ss",
            form={"To": NUMBER, "From": "+31970000000", "Body": TEXT},
        )
    ]


def test_message_that_was_texted_is_not_texted_again(twilio, message) -> None:
    for _ in range(2):
        send(message)
    assert len(twilio.asked) == 1
    delivery = message.deliveries.get()
    assert (delivery.channel, delivery.copies) == ("sms", 1)
    assert delivery.delivered_at is not None


def test_refusal_of_the_provider_is_no_copy(twilio, message) -> None:
    twilio.answer = says(400)
    with pytest.raises(SmsRefused):
        send(message)
    twilio.answer = lambda _asked: TAKEN
    send(message)
    assert outbox_status().duplicates == 0


def test_provider_that_leads_elsewhere_is_not_followed(twilio, message) -> None:
    twilio.answer = lambda _asked: (307, {})
    with pytest.raises(SmsRefused):
        send(message)
    assert [each.path for each in twilio.asked] == ["/2010-04-01/Accounts/AC123/Messages.json"]


def break_off(_asked: Asked) -> tuple[int, dict[str, object]]:
    raise ConnectionAbortedError


@pytest.mark.parametrize("answer", [says(503), break_off], ids=["503", "broken off"])
def test_provider_of_which_nobody_knows_may_have_sent_it(twilio, message, answer) -> None:
    twilio.answer = answer
    with pytest.raises(SmsFailed) as failure:
        send(message)
    assert not isinstance(failure.value, SmsRefused)
    twilio.answer = lambda _asked: TAKEN
    send(message)
    assert outbox_status().duplicates == 1


def test_provider_that_is_not_there_is_a_failure(settings, message) -> None:
    settings.SMS_URL = f"twilio+http://AC:token@{LOOPBACK}:{free_port()}?from=%2B31970000000"
    with pytest.raises(SmsFailed):
        send(message)


def test_neither_number_nor_text_nor_token_is_logged_or_told(twilio, message, caplog) -> None:
    caplog.set_level(0)
    twilio.answer = says(400)
    with pytest.raises(SmsRefused) as refused:
        send(message)
    assert refused.value.__cause__ is None
    for secret_ in (NUMBER, "123456", "pa/ss", "pa%2Fss"):
        assert secret_ not in caplog.text
        assert secret_ not in str(refused.value)


def test_gateway_that_takes_mail_gets_the_text_for_the_number(settings, message) -> None:
    settings.SMS_URL = "mail://sms.docbook.test"
    with post_office() as post:
        send(message)
    assert post.recipients == [[f"{NUMBER}@sms.docbook.test"]]
    assert post.mails[0].get_content().strip() == TEXT


@pytest.mark.parametrize(
    ("answer", "refusal"), [("550 no", SmsRefused), ("421 closing", SmsRefused)]
)
def test_gateway_that_takes_mail_may_refuse(settings, message, answer, refusal) -> None:
    settings.SMS_URL = "mail://sms.docbook.test"
    with post_office() as post:
        post.before_answer = lambda _mail: answer
        with pytest.raises(refusal):
            send(message)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("+31 6 5550 1234", "+31655501234"),
        ("+31 (6) 5550-12.34", "+31655501234"),
        ("0031655501234", "+31655501234"),
        ("06 5550 1234", ""),
        ("+0 123456789", ""),
        ("+31 6", ""),
        ("+1234567890123456", ""),
        ("+31655501234\n", "+31655501234"),
        ("+３１６５５５０１２３４", ""),  # digits of other scripts
        ("", ""),
    ],
)
def test_number_is_international_or_none(typed: str, number: str) -> None:
    assert international(typed) == number


@pytest.mark.parametrize(
    "url", ["", "mail://sms.example.org", "twilio://AC:t@api.twilio.com?from=%2B31970000000"]
)
def test_providers_that_there_are(url: str) -> None:
    assert sms_url(url) == url


@pytest.mark.parametrize("url", ["pigeon://roof", "api.twilio.com", "twilio://AC:t@api.twilio.com"])
def test_provider_that_cannot_work_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        sms_url(url)


def test_twilio_without_its_library_is_refused_at_the_start(monkeypatch) -> None:
    monkeypatch.setattr("docbook.settings.environment.find_spec", lambda _name: None)
    with pytest.raises(ImproperlyConfigured, match="requirements-twilio"):
        sms_url("twilio://AC:t@api.twilio.com?from=%2B31970000000")


def test_codes_by_sms_need_a_provider() -> None:
    assert code_channel("sms", sms="mail://sms.example.org") == "sms"
    for value, url in (("sms", ""), ("pigeon", "mail://sms.example.org")):
        with pytest.raises(ImproperlyConfigured):
            code_channel(value, sms=url)


def test_url_with_its_password_may_stand_in_a_file(monkeypatch, tmp_path) -> None:
    file = tmp_path / "sms"
    file.write_text("mail://sms.example.org\n")
    monkeypatch.setenv("SMS_URL_FILE", str(file))
    assert optional_secret("SMS_URL") == "mail://sms.example.org"
    monkeypatch.delenv("SMS_URL_FILE")
    monkeypatch.setenv("SMS_URL", "")
    assert optional_secret("SMS_URL") == ""
