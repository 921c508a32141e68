"""What the bench of told bookings reads from the mail server and says of it."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.interrupts import Interrupts
from devstack.mailsink import (
    MailSink,
    arrivals_file,
    read_arrivals,
    start_mail_sink,
    wait_for_mail_sink,
)
from devstack.ports import LOOPBACK
from devstack.processes import Workshop
from proof.patient_booker import Postman
from proof.told import SINK, Round

MAIL = "Message-ID: <code-1-0@docbook>\r\nTo: hidden@example.test\r\n\r\nHello\r\n"


@pytest.fixture
def sink(tmp_path) -> Iterator[MailSink]:
    workshop = Workshop(folder=tmp_path, interrupts=Interrupts())
    workshop.open()
    sink = start_mail_sink(maildir=tmp_path / "mail", workshop=workshop)
    wait_for_mail_sink(sink, workshop=workshop)
    yield sink
    sink.stop()


def test_sink_notes_when_each_mail_came_and_keeps_it_as_it_was(sink) -> None:
    with smtplib.SMTP(LOOPBACK, sink.port) as server:
        for address in ("a@docbook.test", "b@docbook.test"):
            server.sendmail("docbook@docbook.test", [address], MAIL)
    first, second = sorted((sink.maildir / "new").iterdir())
    assert first.read_text() == f"X-RcptTo: a@docbook.test\n{MAIL}".replace("\r\n", "\n")
    assert second.read_text().startswith("X-RcptTo: b@docbook.test\n")
    with arrivals_file(sink.maildir).open() as lines:
        noted = read_arrivals(lines)
    assert [each.message_id for each in noted] == ["<code-1-0@docbook>"] * 2
    assert first.stat().st_mtime <= noted[0].at <= noted[1].at


def test_postman_brings_what_is_new_and_no_half_of_it(tmp_path: Path) -> None:
    file = arrivals_file(tmp_path)
    file.write_text("1.0 <old@docbook>\n")
    postman = Postman(tmp_path)
    with file.open("a") as noted:
        noted.write("2.0 <code-1-0@docbook>\n3.0 <confir")
    assert postman.look() == {"<code-1-0@docbook>"}
    with file.open("a") as noted:
        noted.write("med-1-1@docbook>\n")
    assert postman.look() == {"<confirmed-1-1@docbook>"}
    assert postman.look() == set()


def test_cost_of_a_booking_leaves_the_mail_server_out() -> None:
    done = Round(
        bookings=100, seconds=30.0, taken=100, wrong=[], left=0, waits={}, twice=0,
        cpu_seconds={"web": 0.6, "worker": 0.4, SINK: 5.0},
    )  # fmt: skip
    assert done.cpu == pytest.approx(10.0)
    assert done.a_minute == pytest.approx(200.0)
