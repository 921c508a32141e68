"""A real SMTP server within the test: the mails it accepted, and its actions before it answers."""

import logging
from asyncio import run_coroutine_threadsafe, sleep
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.test import override_settings

from devstack.ports import LOOPBACK, free_port
from docbook.notify.line import LINE

ACCEPTED = "250 OK"
# What the server logs of its callers is not what we log of them.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class HangsUp(Exception):
    """Raised by `before_answer`: the server closes the line without an answer."""


class Post:
    """`before_answer` gets each mail, `answer_to` each address of a recipient, and `on_line` how
    many mails have come by this line; their results go back to the sender. `lines` are the
    connections, with the number of their mails.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.lines: dict[SMTP, int] = {}
        self.before_answer: Callable[[EmailMessage], str] = lambda _mail: ACCEPTED
        self.answer_to: Callable[[str], str] = lambda _address: ACCEPTED
        self.on_line: Callable[[int], str] = lambda _mails: ACCEPTED
        self.port = free_port()
        self.server: Any = None

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.on_line(self.lines.setdefault(server, 0))
        if answer == ACCEPTED:
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answer_to(address)
        if answer == ACCEPTED:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        mail = message_from_bytes(envelope.content, EmailMessage, policy=policy.default)
        try:
            answer = self.before_answer(mail)
        except HangsUp:
            server.transport.close()
            raise
        if answer == ACCEPTED:
            self.lines[server] += 1
            self.mails.append(mail)
            self.recipients.append(envelope.rcpt_tos)
        return answer

    def stop_listening(self) -> None:
        """Called while the server answers: it takes no new line."""
        self.server.close()

    def close_lines(self) -> None:
        """As a server does with a line that says nothing for long."""
        for server in self.lines:
            server.loop.call_soon_threadsafe(server.transport.close)
            # A transport closes its socket in the turn after this one.
            for _turn in range(2):
                run_coroutine_threadsafe(sleep(0), server.loop).result()

    @property
    def url(self) -> str:
        return f"smtp://{LOOPBACK}:{self.port}"


@contextmanager
def post_office() -> Iterator[Post]:
    """Sends Django's mails to this server while the block runs."""
    post = Post()
    controller = Controller(post, hostname=LOOPBACK, port=post.port)
    controller.start()
    post.server = controller.server
    backend = "django.core.mail.backends.smtp.EmailBackend"
    try:
        with override_settings(
            EMAIL_BACKEND=backend, EMAIL_HOST=LOOPBACK, EMAIL_PORT=post.port, EMAIL_USE_TLS=False
        ):
            LINE.hang_up()
            yield post
    finally:
        LINE.hang_up()
        controller.stop()
