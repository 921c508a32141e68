"""A connection to the mail server, kept for the next mail: a greeting costs as much as a mail."""

import select
import threading
import time
from datetime import timedelta
from smtplib import SMTPSenderRefused
from typing import Any

from django.core.mail import EmailMessage, get_connection

# A line that was silent for longer is not used again. Routers forget such lines without a word, and
# a mail on one of them would wait for its time-out.
LONGEST_SILENCE = timedelta(seconds=10)
# RFC 5321, 4.2.1: the server is closing the line. Many do so after some number of mails.
_CLOSING = 421


class NotConnected(OSError):
    """The server could not be reached again, so this mail was not sent."""


class Line(threading.local):
    """Each thread has its own connection, through the backend that EMAIL_URL names."""

    def __init__(self) -> None:
        self._backend: Any = None
        self._used_at = 0.0

    def open(self) -> None:
        """Connects, unless the line still stands. Raises OSError or SMTPException."""
        if self._backend is not None and self._still_stands():
            return
        self.hang_up()
        backend = get_connection()
        backend.open()
        self._backend, self._used_at = backend, time.monotonic()

    def send(self, mail: EmailMessage) -> None:
        """Raises OSError or SMTPException."""
        try:
            self._send(mail)
        except SMTPSenderRefused as refusal:
            if refusal.smtp_code != _CLOSING:
                raise
            self._send(mail)

    def hang_up(self) -> None:
        """Without a word: if the other side is gone, a farewell would wait for its answer."""
        backend, self._backend = self._backend, None
        if smtp := getattr(backend, "connection", None):
            smtp.close()

    def _send(self, mail: EmailMessage) -> None:
        try:
            self.open()
        except OSError as error:
            raise NotConnected from error
        mail.connection = self._backend
        try:
            mail.send()
        except BaseException:
            # Nobody knows what the server expects next.
            self.hang_up()
            raise
        self._used_at = time.monotonic()

    def _still_stands(self) -> bool:
        """Between two mails a server says nothing, except that it closes the line."""
        smtp = getattr(self._backend, "connection", None)
        if smtp is None:  # a backend without a server, as in tests
            return True
        if smtp.sock is None or time.monotonic() > self._used_at + LONGEST_SILENCE.total_seconds():
            return False
        news = select.poll()
        news.register(smtp.sock, select.POLLIN)
        return not news.poll(0)


LINE = Line()
