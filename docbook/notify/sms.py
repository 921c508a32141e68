"""Text messages about an outbox message, sent once, by the provider in SMS_URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.module_loading import import_string

from docbook.outbox.deliveries import deliver_all

CHANNEL = "sms"

# By the scheme of SMS_URL. A provider's library is imported only if it is used.
_PROVIDERS = {
    "mail": "docbook.notify.mail_gateway.MailGateway",
    "twilio": "docbook.notify.twilio_sms.TwilioSms",
}


class SmsFailed(Exception):
    """The provider did not take the message, or nobody knows whether it did. Contains no number."""


class SmsRefused(SmsFailed):
    """The provider has answered, and the answer was no."""


@dataclass(frozen=True)
class Text:
    """`to` is a number as E.164 writes it, like +31655501234."""

    to: str
    words: str


class SmsProvider(Protocol):
    """What a provider must be able to do. It is made from the parts of SMS_URL."""

    def __init__(self, url: SplitResult) -> None: ...

    def send(self, *, to: str, text: str) -> None:
        """Hands the text to the provider; `to` is a number as E.164 writes it.

        Waits a few seconds at most. Raises SmsRefused or SmsFailed, and logs neither number nor
        text.
        """


def send_texts(texts: Mapping[int, Text]) -> dict[int, Exception]:
    """Sends what `texts` has for each message, by its id, except what went out as SMS before.
    Returns the errors: SmsFailed or NotTried.
    """
    if not texts:
        return {}
    provider = _provider(settings.SMS_URL)
    sends = {
        message_id: partial(provider.send, to=text.to, text=text.words)
        for message_id, text in texts.items()
    }
    return deliver_all(sends, channel=CHANNEL, refusals=(SmsRefused,))


@cache
def _provider(url: str) -> SmsProvider:
    parts = urlsplit(url)
    provider: type[SmsProvider] = import_string(_PROVIDERS[parts.scheme.partition("+")[0]])
    return provider(parts)
