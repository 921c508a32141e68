"""E-mails about an outbox message, sent once."""

import re
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.core.mail import get_connection

from docbook.notify.letters import Letter
from docbook.outbox.deliveries import RefusedForGood, deliver

CHANNEL = "email"
# The server has answered, and the answer was no.
REFUSALS = (SMTPResponseException, SMTPRecipientsRefused)

# RFC 3463: a permanent failure, its subject and its detail.
_STATUS = re.compile(rb"\s*5\.(\d+)\.(\d+)")
# Subjects: the address, the mailbox.
_OF_THE_RECIPIENT = (b"1", b"2")
# Among addresses: the sender's.
_OF_THE_SENDER = ((b"1", b"7"), (b"1", b"8"))


def send_email(mail: Letter, *, message_id: int) -> None:
    """Does nothing if the message was mailed before. Raises OSError or SMTPException, and
    RefusedForGood if the mailbox takes no mail.
    """
    # Connects first: if the server cannot be reached, certainly nothing was sent.
    with get_connection() as mail.connection:
        try:
            deliver(message_id, channel=CHANNEL, send=mail.send, refusals=REFUSALS)
        except REFUSALS as error:
            if _is_for_good(error):
                # From None: the server's text may name people.
                raise RefusedForGood from None
            raise


def _is_for_good(refusal: SMTPException) -> bool:
    """Whether another attempt would be refused for the same reason, and the reason lies with the
    recipient. A refusal of the sender, its server or its password may be our own mistake: that
    must not end all mails without an alarm.
    """
    if isinstance(refusal, SMTPRecipientsRefused):
        return all(_is_about_the_mailbox(*answer) for answer in refusal.recipients.values())
    return isinstance(refusal, SMTPDataError) and _is_about_the_mailbox(
        refusal.smtp_code, refusal.smtp_error
    )


def _is_about_the_mailbox(code: int, text: bytes | str) -> bool:
    """A bare 550 says nothing: servers that block ours answer it as well."""
    if code < 500:
        return False
    status = _STATUS.match(text if isinstance(text, bytes) else text.encode())
    return (
        status is not None
        and status[1] in _OF_THE_RECIPIENT
        and status.groups() not in _OF_THE_SENDER
    )
