import os
import smtplib
from collections.abc import Iterator
from datetime import datetime, time
from email.header import Header
from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path

import pytest

from devstack.interrupts import Interrupts
from devstack.mailsink import MailSink, start_mail_sink, wait_for_mail_sink
from devstack.processes import Workshop

pytestmark = pytest.mark.django_db

ICS = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def maildir(tmp_path, settings) -> Path:
    settings.DEV_MAILDIR = tmp_path / "mail"
    return settings.DEV_MAILDIR


@pytest.fixture
def sink(maildir, tmp_path) -> Iterator[MailSink]:
    workshop = Workshop(folder=tmp_path, interrupts=Interrupts())
    workshop.open()
    sink = start_mail_sink(maildir=maildir, workshop=workshop)
    wait_for_mail_sink(sink, workshop=workshop)
    yield sink
    sink.stop()


def drop(maildir: Path, *, to: str = "a@docbook.test", subject: str = "Hi", **parts: str) -> str:
    """A mail as the sink keeps it; returns its name."""
    message = EmailMessage()
    message["Subject"], message["To"], message["X-RcptTo"] = subject, to, to
    message.set_content(parts.get("text", "Hello"))
    if "html" in parts:
        message.add_alternative(parts["html"], subtype="html")
    if "ics" in parts:
        message.add_attachment(parts["ics"], subtype="calendar", filename="visit.ics")
        message.add_attachment(b"\x00\xff", "image", "png", filename="dot.png")
    return Maildir(maildir).add(message)


def listed(client, query: str = "") -> list[dict]:
    return client.get(f"/dev/inbox/?format=json{query}").json()


def test_without_a_mail_the_inbox_is_empty(client, maildir):
    assert listed(client) == []
    assert "No mail yet" in client.get("/dev/inbox/").content.decode()


def test_mails_come_newest_first(client, maildir):
    for age, subject in ((30, "old"), (10, "new"), (20, "middle")):
        name = drop(maildir, subject=subject)
        os.utime(maildir / "new" / name, (1_700_000_000 - age,) * 2)

    assert [mail["subject"] for mail in listed(client)] == ["new", "middle", "old"]


def test_a_recipient_sees_only_their_mails_whatever_the_case(client, maildir):
    drop(maildir, to="a@docbook.test", subject="for a")
    drop(maildir, to="b@docbook.test", subject="for b")

    assert [mail["subject"] for mail in listed(client, "&to=B@docbook.test")] == ["for b"]
    assert listed(client, "&to=docbook.test") == []


def test_a_mail_is_given_with_all_its_parts(client, maildir):
    drop(maildir, subject="Prüfung", text="Grüße", html="<p>Grüße</p>", ics=ICS)

    (mail,) = listed(client)

    assert mail["to"] == "a@docbook.test"
    assert (mail["subject"], mail["text"].strip()) == ("Prüfung", "Grüße")
    assert mail["html"].strip() == "<p>Grüße</p>"
    calendar, image = mail["attachments"]
    assert (calendar["filename"], calendar["contentType"]) == ("visit.ics", "text/calendar")
    assert calendar["content"].split() == ICS.split()
    assert image == {"filename": "dot.png", "contentType": "image/png", "content": "AP8="}
    assert datetime.fromisoformat(mail["receivedAt"]).tzinfo


def test_a_subject_that_begins_on_the_next_line_is_shown_without_a_blank(client, maildir):
    subject = "Überprüfung der Haut und Nachsorge mit Ångström-Łukasiewicz, Montag, 10:00"
    folded = Header(subject, "utf-8").encode()
    Maildir(maildir).add(f"X-RcptTo: a@docbook.test\nSubject: \n {folded}\n\nHello\n")

    assert [mail["subject"] for mail in listed(client)] == [subject]


def test_the_page_shows_text_escaped_and_links_to_the_html_version(client, maildir):
    name = drop(maildir, subject="<script>alert(1)</script>", html="<p>Hello</p>")

    page = client.get("/dev/inbox/").content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert f'href="/dev/inbox/{name}/html/"' in page


def test_the_html_version_may_do_nothing(client, maildir):
    name = drop(maildir, html="<script>alert(1)</script>")

    response = client.get(f"/dev/inbox/{name}/html/")

    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "img-src data: 'self';" in policy  # the logo, and nothing from elsewhere


@pytest.mark.parametrize("key", ["unknown", "..", "%2e%2e", "..%2fpostgres%2fpassword"])
def test_a_name_that_is_no_mail_is_not_found(client, maildir, key):
    drop(maildir)

    assert client.get(f"/dev/inbox/{key}/html/").status_code == 404


def test_the_inbox_says_when_the_waitlist_is_quiet(client, maildir, settings):
    settings.WAITLIST_QUIET_HOURS = (time(21), time(8))
    said = "The waitlist offers nothing between 21:00 and 08:00"
    assert said in client.get("/dev/inbox/").content.decode()
    settings.WAITLIST_QUIET_HOURS = (time(0), time(0))
    assert "waitlist" not in client.get("/dev/inbox/").content.decode()


def test_the_inbox_cannot_be_written_to(client, maildir):
    assert client.post("/dev/inbox/").status_code == 405


def test_what_travels_by_smtp_arrives_with_the_envelopes_recipient(client, sink):
    message = EmailMessage()
    message["Subject"], message["From"] = "By wire", "x@docbook.test"
    message.set_content("Hello")

    with smtplib.SMTP("127.0.0.1", sink.port, timeout=60) as smtp:
        smtp.send_message(message, to_addrs=["hidden@docbook.test"])

    assert [mail["subject"] for mail in listed(client, "&to=hidden@docbook.test")] == ["By wire"]
