"""An SMTP server that keeps every mail in a Maildir and delivers none.

Started as `python -m devstack.mailsink PORT MAILDIR`. Beside the mails, the file `arrivals` gets a
line for each: the seconds since 1970 when it was accepted, and its Message-ID.
"""

import asyncio
import itertools
import os
import re
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from devstack.layout import shown
from devstack.ports import LOOPBACK, answers, free_port
from devstack.processes import Process, Program, Workshop, stop
from devstack.refusals import Refusal

START_TIMEOUT = 20.0
LARGEST_MAIL = 32 * 1024 * 1024
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class MailSink:
    """A running sink."""

    process: Process
    port: int
    maildir: Path

    def url(self) -> str:
        return f"smtp://{LOOPBACK}:{self.port}"

    def stop(self) -> None:
        stop([self.process])


def start_mail_sink(*, maildir: Path, workshop: Workshop) -> MailSink:
    """Starts the sink; returns before it answers."""
    maildir.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "devstack.mailsink", str(port), str(maildir)]
    process = workshop.start(Program(name="mailsink", command=command))
    return MailSink(process=process, port=port, maildir=maildir)


def wait_for_mail_sink(sink: MailSink, *, workshop: Workshop) -> None:
    def is_settled() -> bool:
        return sink.process.has_ended() or answers(sink.port)

    answered = workshop.interrupts.wait_until(is_settled, timeout=START_TIMEOUT)
    if not answered or sink.process.has_ended():
        raise Refusal(
            f"The mail sink did not start; the last lines of {shown(sink.process.log)}:\n"
            f"{sink.process.last_words()}"
        )


@dataclass(frozen=True)
class Arrival:
    """A mail that the sink has accepted, in seconds since 1970."""

    at: float
    message_id: str


def arrivals_file(maildir: Path) -> Path:
    return maildir / "arrivals"


def read_arrivals(lines: Iterable[str]) -> list[Arrival]:
    """From whole lines of the file of arrivals."""
    pairs = (line.split() for line in lines)
    return [Arrival(float(at), message_id) for at, message_id in pairs]


class Keeper:
    """Writes each mail as it came, below a header with the recipients of its envelope."""

    def __init__(self, maildir: Path) -> None:
        for name in ("tmp", "new", "cur"):
            (maildir / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._maildir = maildir
        self._numbers = itertools.count(1)
        self._arrivals = arrivals_file(maildir).open("a", buffering=1)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        recipients = ", ".join(envelope.rcpt_tos).encode()
        mail = b"X-RcptTo: " + recipients + b"\r\n" + content
        name = f"{time.time():.6f}.{os.getpid()}_{next(self._numbers)}.localhost"
        written = self._maildir / "tmp" / name
        written.write_bytes(mail.replace(b"\r\n", b"\n"))
        # Whole mails only: the inbox may look at any moment.
        written.rename(self._maildir / "new" / name)
        found = _MESSAGE_ID.search(content)
        self._arrivals.write(
            f"{time.time():.6f} {found[1].decode(errors='replace') if found else '-'}\n"
        )
        return "250 OK"


async def serve(*, port: int, maildir: Path) -> None:
    handler = Keeper(maildir)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", data_size_limit=LARGEST_MAIL, loop=loop),
        host=LOOPBACK,
        port=port,
    )
    async with server:
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(serve(port=int(sys.argv[1]), maildir=Path(sys.argv[2])))
