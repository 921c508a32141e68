"""E-mail that tells of an outbox message, once."""

from smtplib import SMTPRecipientsRefused, SMTPResponseException

from django.core.mail import get_connection

from docbook.notify.letters import Letter
from docbook.outbox.deliveries import deliver

CHANNEL = "email"
# The server has answered, and its answer was no.
REFUSALS = (SMTPResponseException, SMTPRecipientsRefused)


def send_email(mail: Letter, *, message_id: int) -> None:
    """Does nothing when the message was mailed before. Raises OSError or SMTPException."""
    # Opened first: whatever fails before the server listens has certainly sent nothing.
    with get_connection() as mail.connection:
        deliver(message_id, channel=CHANNEL, send=mail.send, refusals=REFUSALS)
