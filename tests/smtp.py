"""A real SMTP server within the test: the mails it accepted, and its actions before it answers."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.test import override_settings

from devstack.ports import LOOPBACK, free_port

ACCEPTED = "250 OK"
# What the server logs of its callers is not what we log of them.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class Post:
    """`before_answer` gets each mail, and `answer_to` each address of a recipient; their results go
    back to the sender.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.before_answer: Callable[[EmailMessage], str] = lambda _mail: ACCEPTED
        self.answer_to: Callable[[str], str] = lambda _address: ACCEPTED
        self.port = free_port()

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
        answer = self.before_answer(mail)
        if answer == ACCEPTED:
            self.mails.append(mail)
            self.recipients.append(envelope.rcpt_tos)
        return answer

    @property
    def url(self) -> str:
        return f"smtp://{LOOPBACK}:{self.port}"


@contextmanager
def post_office() -> Iterator[Post]:
    """Sends Django's mails to this server while the block runs."""
    post = Post()
    controller = Controller(post, hostname=LOOPBACK, port=post.port)
    controller.start()
    backend = "django.core.mail.backends.smtp.EmailBackend"
    try:
        with override_settings(
            EMAIL_BACKEND=backend, EMAIL_HOST=LOOPBACK, EMAIL_PORT=post.port, EMAIL_USE_TLS=False
        ):
            yield post
    finally:
        controller.stop()
