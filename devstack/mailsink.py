"""An SMTP server that keeps every mail in a Maildir and delivers none.

Started as `python -m devstack.mailsink PORT MAILDIR`.
"""

import asyncio
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP

from devstack.layout import shown
from devstack.ports import LOOPBACK, answers, free_port
from devstack.processes import Process, Program, Workshop, stop
from devstack.refusals import Refusal

START_TIMEOUT = 20.0
LARGEST_MAIL = 32 * 1024 * 1024


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


async def serve(*, port: int, maildir: Path) -> None:
    handler = Mailbox(maildir)  # records the envelope's recipients as X-RcptTo
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
