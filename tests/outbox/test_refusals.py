"""A mail that the recipient's server refuses for good ends at once. Other failures are tried
again.
"""

import smtplib
from functools import partial

import pytest
from celery import current_app
from django.core.management import call_command

from bookings.invariants.checks import check_invariants
from docbook.notify.email import send_email
from docbook.notify.letters import Letter
from docbook.observability import metrics
from docbook.outbox.models import OutboxDelivery, OutboxMessage
from docbook.outbox.selectors import outbox_status
from docbook.outbox.services import retry
from tests.accounts.post import deliver as deliver_mails
from tests.bookings.acts import as_patient, book, bookable
from tests.factories import make_patient
from tests.outbox.relay import failing, relay, tell, wake, work
from tests.smtp import ACCEPTED, Post, post_office

pytestmark = pytest.mark.django_db
ADDRESS = "saskia@example.test"
NO_SUCH_MAILBOX = "550 5.1.1 no such user"


def send(message: OutboxMessage) -> None:
    letter = Letter("Hello", "there", to=[ADDRESS])
    work(message, handle=partial(send_email, letter, message_id=message.pk))
    message.refresh_from_db()


def answering(post: Post, answer: str, *, to: str) -> None:
    """The server answers so to the recipient's address, or to the whole mail."""
    if to == "address":
        post.answer_to = lambda _address: answer
    else:
        post.before_answer = lambda _mail: answer


@pytest.mark.parametrize("to", ["address", "mail"])
@pytest.mark.parametrize(
    "answer",
    [NO_SUCH_MAILBOX, "550 5.2.1 mailbox disabled", "552 5.2.2 mailbox full"],
)
def test_mail_that_a_mailbox_refuses_for_good_is_not_tried_again(answer: str, to: str) -> None:
    message = tell("a")
    with post_office() as post:
        answering(post, answer, to=to)
        send(message)
    assert message.is_refused
    assert (message.attempts, message.dead_at, message.last_error) == (1, None, "RefusedForGood")
    wake(message)
    assert relay() == []


@pytest.mark.parametrize("to", ["address", "mail"])
@pytest.mark.parametrize(
    "answer",
    [
        "450 4.2.0 greylisted",
        "450 5.1.1 the code says later, whatever the text says",
        "554 5.7.1 relay access denied",
        "550 5.7.26 this mail is not authenticated",
        "550 5.1.8 sender address rejected",
        "554 transaction failed",
        "550 no mailbox",
        "550 your address is on a block list",
        "553 not in the list of allowed hosts",
    ],
)
def test_refusal_that_may_pass_or_may_be_our_own_fault_is_tried_again(answer: str, to: str) -> None:
    """Otherwise a mistake in our DNS would end every mail without an alarm."""
    message = tell("a")
    with post_office() as post:
        answering(post, answer, to=to)
        send(message)
        assert (message.is_refused, message.done_at) == (False, None)
        answering(post, ACCEPTED, to=to)
        send(message)
        assert len(post.mails) == 1
    assert (message.is_refused, message.last_error) == (False, "")


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPAuthenticationError(535, b"5.7.8 wrong password"),
        smtplib.SMTPSenderRefused(550, b"5.1.1 no such user", "docbook@example.test"),
    ],
)
def test_refusal_of_us_ends_no_mail(error: Exception, monkeypatch) -> None:
    def refuse(_letter: Letter) -> None:
        raise error

    message = tell("a")
    monkeypatch.setattr(Letter, "send", refuse)
    with post_office():
        send(message)
    assert (message.is_refused, message.done_at) == (False, None)


def test_refusal_says_nothing_about_the_person_in_row_or_log(caplog) -> None:
    message = tell("a")
    with post_office() as post:
        post.answer_to = lambda address: f"550 5.1.1 <{address}> is unknown"
        send(message)
    assert message.is_refused
    assert "outbox_message_refused" in caplog.text
    assert "saskia" not in caplog.text + message.last_error


def test_refused_mail_lets_the_next_about_the_same_thing_go() -> None:
    first, second = tell("a"), tell("a")
    relay()
    with post_office() as post:
        post.answer_to = lambda _address: NO_SUCH_MAILBOX
        send(first)
    assert relay() == [second.pk]


def test_refusal_that_comes_after_the_lease_leaves_the_message_to_its_new_owner() -> None:
    message = tell("a")

    with post_office() as post:
        post.answer_to = lambda _address: NO_SUCH_MAILBOX
        letter = Letter("Hello", "there", to=[ADDRESS])

        def handle() -> None:
            wake(message)
            relay()
            send_email(letter, message_id=message.pk)

        work(message, handle=handle)
    message.refresh_from_db()
    assert (message.is_refused, message.last_error) == (False, "")
    assert "docbook_mails_refused_total 0.0" in metrics.exposition().decode()


def test_refused_mail_counts_as_refused_and_leaves_no_copy() -> None:
    message = tell("a")
    with post_office() as post:
        post.answer_to = lambda _address: NO_SUCH_MAILBOX
        send(message)
    found = outbox_status()
    assert (found.waiting, found.refused, found.dead, found.delivered) == (0, 1, 0, 0)
    assert OutboxDelivery.objects.get(message=message).copies == 0
    assert "docbook_mails_refused_total 1.0" in metrics.exposition().decode()


def test_refused_mail_is_tried_again_if_staff_ask_for_it() -> None:
    """For example after somebody has corrected the address."""
    message = tell("a")
    with post_office() as post:
        post.answer_to = lambda _address: NO_SUCH_MAILBOX
        send(message)
        assert retry(message_ids=[message.pk]) == 1
        message.refresh_from_db()
        assert (message.is_refused, message.done_at) == (False, None)
        post.answer_to = lambda _address: ACCEPTED
        assert relay() == [message.pk]
        send(message)
        assert len(post.mails) == 1
    assert message.done_at is not None


def test_confirmation_to_a_mailbox_that_does_not_exist_breaks_no_promise() -> None:
    current_app.loader.import_default_modules()
    visit_type, [slot, *_] = bookable()
    with post_office() as post:
        post.answer_to = lambda _address: NO_SUCH_MAILBOX
        visit = book(slot, visit_type=visit_type, holder=as_patient(make_patient()), email=ADDRESS)
        # The code, then the confirmation.
        for _ in range(2):
            deliver_mails()
    assert OutboxMessage.objects.get(
        aggregate_id=str(visit.pk), topic="appointment.confirmed"
    ).is_refused
    assert [each.code for each in check_invariants() if each.is_broken] == []


def test_lost_connection_is_no_refusal() -> None:
    message = tell("a")
    work(message, handle=failing(smtplib.SMTPServerDisconnected()))
    message.refresh_from_db()
    assert (message.is_refused, message.last_error) == (False, "SMTPServerDisconnected")


def test_status_prints_what_was_refused(capsys) -> None:
    call_command("outbox_status")
    assert "Refused by the recipient" in capsys.readouterr().out
