"""SMS through a mail gateway: `mail://sms.example.org` sends to +31655501234@sms.example.org.

In development these mails appear in the inbox, where a person can read them.
"""

from smtplib import SMTPException
from urllib.parse import SplitResult

from django.core.mail import EmailMessage

from docbook.notify.email import REFUSALS
from docbook.notify.sms import SmsFailed, SmsRefused


class MailGateway:
    def __init__(self, url: SplitResult) -> None:
        self._domain = url.hostname

    def send(self, *, to: str, text: str) -> None:
        headers = {"Auto-Submitted": "auto-generated"}
        mail = EmailMessage("SMS", text, to=[f"{to}@{self._domain}"], headers=headers)
        try:
            mail.send()
        except REFUSALS:
            # From None: the server's text about a number must not reach a log.
            raise SmsRefused from None
        except (SMTPException, OSError):
            raise SmsFailed from None
