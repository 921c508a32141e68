"""SMS through Twilio: `twilio://ACCOUNT:TOKEN@api.twilio.com?from=%2B31970…` (an extra; see
README).

`twilio+http` is for a server on this machine that imitates Twilio's.
"""

import logging
from urllib.parse import SplitResult, parse_qs, unquote

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from docbook.notify.sms import SmsFailed, SmsRefused

TIMEOUT_SECONDS = 5
# The library logs the address and the headers of every request.
_SILENT = logging.getLogger("twilio.silent")
_SILENT.setLevel(logging.CRITICAL)


class TwilioSms:
    def __init__(self, url: SplitResult) -> None:
        http = TwilioHttpClient(timeout=TIMEOUT_SECONDS, logger=_SILENT)
        account, token = unquote(url.username or ""), unquote(url.password or "")
        self._client = Client(account, token, http_client=http)
        protocol = "http" if url.scheme.endswith("+http") else "https"
        self._client.api.base_url = f"{protocol}://{url.netloc.rpartition('@')[2]}"
        (self._sender,) = parse_qs(url.query)["from"]

    def send(self, *, to: str, text: str) -> None:
        try:
            self._client.messages.create(to=to, from_=self._sender, body=text)
        except TwilioRestException as error:
            # From None: Twilio's messages contain the number.
            raise (SmsRefused if error.status < 500 else SmsFailed) from None
        except (TwilioException, requests.RequestException):
            raise SmsFailed from None
