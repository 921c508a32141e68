"""Many mails go by one connection, and none is lost or doubled if the server closes it."""

import smtplib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from docbook.notify import line
from docbook.notify.email import send_emails
from docbook.notify.letters import Letter
from docbook.outbox import deliveries
from docbook.outbox.deliveries import NotTried, RefusedForGood
from docbook.outbox.models import OutboxDelivery
from docbook.outbox.selectors import outbox_status
from tests.outbox.relay import tell
from tests.smtp import ACCEPTED, HangsUp, Post, post_office

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _patience(monkeypatch) -> None:
    """How much goes into one batch must not depend on how busy the machine is."""
    monkeypatch.setattr(deliveries, "LONGEST_BATCH", timedelta(hours=1))


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as post:
        yield post


def address(number: int) -> str:
    return f"person-{number}@example.test"


def letters(count: int) -> dict[int, Letter]:
    """By the ids of their messages, in order."""
    return {
        tell(number).pk: Letter("Hello", "there", to=[address(number)]) for number in range(count)
    }


def arrived(post: Post) -> list[str]:
    return [to for recipients in post.recipients for to in recipients]


def test_mails_of_a_batch_go_by_one_line_and_the_next_batch_as_well(post: Post) -> None:
    assert send_emails(letters(5)) == {}
    assert send_emails(letters(3)) == {}
    assert list(post.lines.values()) == [8]
    assert outbox_status().delivered == 8


def test_batch_is_noted_with_two_statements(post: Post, django_assert_num_queries) -> None:
    mails = letters(6)
    with django_assert_num_queries(2):
        send_emails(mails)


def test_nothing_to_send_connects_to_nobody(post: Post, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert send_emails({}) == {}
    assert post.lines == {}


@pytest.mark.parametrize("by", ["address", "mail"])
def test_recipient_who_is_refused_keeps_no_other_mail_waiting(post: Post, by: str) -> None:
    mails, refusal = letters(5), "550 5.1.1 no such user"
    if by == "address":
        post.answer_to = lambda to: refusal if to == address(2) else ACCEPTED
    else:
        post.before_answer = lambda mail: refusal if mail["To"] == address(2) else ACCEPTED
    failed = send_emails(mails)
    assert list(failed) == [list(mails)[2]]
    assert isinstance(failed[list(mails)[2]], RefusedForGood)
    assert arrived(post) == [address(number) for number in (0, 1, 3, 4)]
    assert (outbox_status().delivered, outbox_status().duplicates) == (4, 0)
    assert OutboxDelivery.objects.get(message_id=list(mails)[2]).copies == 0


def test_server_that_takes_two_mails_by_each_line_gets_all_of_them(post: Post) -> None:
    post.on_line = lambda mails: ACCEPTED if mails < 2 else "421 4.7.0 too many mails"
    assert send_emails(letters(5)) == {}
    assert arrived(post) == [address(number) for number in range(5)]
    assert list(post.lines.values()) == [2, 2, 1]
    assert outbox_status().duplicates == 0


def test_server_that_takes_no_mail_at_all_is_not_asked_for_ever(post: Post) -> None:
    post.on_line = lambda _mails: "421 4.3.2 shutting down"
    mails = letters(2)
    failed = send_emails(mails)
    assert {type(each) for each in failed.values()} == {smtplib.SMTPSenderRefused}
    assert len(post.lines) == 4
    assert set(OutboxDelivery.objects.values_list("copies", flat=True)) == {0}


def test_line_that_the_server_has_closed_meanwhile_is_replaced_before_a_mail_is_sent(
    post: Post,
) -> None:
    send_emails(letters(1))
    post.close_lines()
    assert send_emails(letters(2)) == {}
    assert list(post.lines.values()) == [1, 2]
    assert outbox_status().duplicates == 0


def test_line_that_was_silent_for_long_is_replaced(post: Post, monkeypatch) -> None:
    monkeypatch.setattr(line, "LONGEST_SILENCE", timedelta(seconds=-1))
    assert send_emails(letters(2)) == {}
    assert list(post.lines.values()) == [1, 1]


def test_server_that_hangs_up_at_one_mail_gets_the_others_by_another_line(post: Post) -> None:
    """Nobody knows whether it took that one, so its copy counts."""

    def answer(mail: object) -> str:
        if mail["To"] == address(1):
            raise HangsUp
        return ACCEPTED

    post.before_answer = answer
    mails = letters(4)
    failed = send_emails(mails)
    assert {pk: type(error) for pk, error in failed.items()} == {
        list(mails)[1]: smtplib.SMTPServerDisconnected
    }
    assert arrived(post) == [address(number) for number in (0, 2, 3)]
    post.before_answer = Post().before_answer
    assert send_emails(mails) == {}
    assert arrived(post) == [address(number) for number in (0, 2, 3, 1)]
    assert (outbox_status().delivered, outbox_status().duplicates) == (4, 1)


def test_server_that_is_gone_in_the_middle_has_got_no_copy_of_the_rest() -> None:
    mails = letters(3)
    with post_office() as post:

        def answer(_mail: object) -> str:
            post.stop_listening()
            raise HangsUp

        post.before_answer = answer
        failed = send_emails(mails)
    first, *rest = mails
    assert type(failed[first]) is smtplib.SMTPServerDisconnected
    assert {type(failed[pk]) for pk in rest} == {line.NotConnected}
    copies = dict(OutboxDelivery.objects.values_list("message_id", "copies"))
    assert copies == {first: 1} | dict.fromkeys(rest, 0)


def test_batch_that_takes_too_long_leaves_the_rest_untried(post: Post, monkeypatch) -> None:
    mails = letters(4)
    first, *rest = mails
    monkeypatch.setattr(deliveries, "LONGEST_BATCH", timedelta())
    failed = send_emails(mails)
    assert {pk: type(error) for pk, error in failed.items()} == dict.fromkeys(rest, NotTried)
    copies = dict(OutboxDelivery.objects.values_list("message_id", "copies"))
    assert copies == {first: 1} | dict.fromkeys(rest, 0)
    assert arrived(post) == [address(0)]


def test_worker_that_is_told_to_stop_in_a_batch_records_what_is_out(post: Post) -> None:
    """Like a second SIGTERM. Only the mail under way may have arrived without our knowing."""
    mails = letters(4)

    class Stops(Letter):
        def send(self, fail_silently: bool = False) -> int:
            super().send(fail_silently)
            raise SystemExit

    second = list(mails)[1]
    mails[second] = Stops("Hello", "there", to=[address(1)])
    with pytest.raises(SystemExit):
        send_emails(mails)
    rows = OutboxDelivery.objects.order_by("message_id")
    assert [(each.copies, each.delivered_at is not None) for each in rows] == [
        (1, True), (1, False), (0, False), (0, False),
    ]  # fmt: skip


def test_mail_that_went_out_before_is_not_in_the_batch(post: Post) -> None:
    mails = letters(3)
    first = next(iter(mails))
    send_emails({first: mails[first]})
    assert send_emails(mails) == {}
    assert arrived(post) == [address(number) for number in range(3)]


def test_refusal_takes_nothing_from_what_another_worker_has_delivered() -> None:
    """The lease of the first worker ended while it waited for the server."""
    message_id = tell("a").pk
    rows = OutboxDelivery.objects.filter(message_id=message_id)

    def refused() -> None:
        deliveries.deliver_all({message_id: lambda: None}, channel="email", refusals=())
        raise smtplib.SMTPDataError(451, b"later")

    deliveries.deliver_all(
        {message_id: refused}, channel="email", refusals=(smtplib.SMTPDataError,)
    )
    assert rows.get().delivered_at is not None
    assert rows.get().copies == 1
