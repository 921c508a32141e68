"""E-mails about an outbox message, sent once."""

from smtplib import SMTPRecipientsRefused, SMTPResponseException

from django.core.mail import get_connection

from docbook.notify.letters import Letter
from docbook.outbox.deliveries import deliver

CHANNEL = "email"
# The server has answered, and the answer was no.
REFUSALS = (SMTPResponseException, SMTPRecipientsRefused)


def send_email(mail: Letter, *, message_id: int) -> None:
    """Does nothing if the message was mailed before. Raises OSError or SMTPException."""
    # Connects first: if the server cannot be reached, certainly nothing was sent.
    with get_connection() as mail.connection:
        deliver(message_id, channel=CHANNEL, send=mail.send, refusals=REFUSALS)
