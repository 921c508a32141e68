"""E-mails about an outbox message, sent once."""

import re
from collections.abc import Mapping
from functools import partial
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from docbook.notify.letters import Letter
from docbook.notify.line import LINE, NotConnected
from docbook.outbox.deliveries import RefusedForGood, deliver_all

CHANNEL = "email"
# The server has answered, and the answer was no.
REFUSALS = (SMTPResponseException, SMTPRecipientsRefused)

# RFC 3463: a permanent failure, its subject and its detail.
_STATUS = re.compile(rb"\s*5\.(\d+)\.(\d+)")
# Subjects: the address, the mailbox.
_OF_THE_RECIPIENT = (b"1", b"2")
# Among addresses: the sender's.
_OF_THE_SENDER = ((b"1", b"7"), (b"1", b"8"))


def send_emails(mails: Mapping[int, Letter]) -> dict[int, Exception]:
    """Sends what `mails` has for each message, by its id, except what was mailed before. Returns
    the errors: OSError, SMTPException, NotTried, or RefusedForGood if the mailbox takes no mail.
    """
    if not mails:
        return {}
    try:
        # Connects first: if the server cannot be reached, certainly nothing was sent.
        LINE.open()
    except OSError as error:
        return dict.fromkeys(mails, error)
    sends = {message_id: partial(LINE.send, mail) for message_id, mail in mails.items()}
    failed = deliver_all(sends, channel=CHANNEL, refusals=(*REFUSALS, NotConnected))
    return {message_id: _judged(error) for message_id, error in failed.items()}


def send_email(mail: Letter, *, message_id: int) -> None:
    """The same for one message; raises its error."""
    for error in send_emails({message_id: mail}).values():
        raise error


def _judged(error: Exception) -> Exception:
    # The server's text may name people, so it does not go on with the other error.
    is_over = isinstance(error, SMTPException) and _is_for_good(error)
    return RefusedForGood() if is_over else error


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
