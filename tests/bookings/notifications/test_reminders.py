"""Patients are reminded a day before and shortly before, of what is still true."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone

from bookings import tasks
from bookings.models import Appointment
from bookings.notifications import services as reminders
from bookings.notifications.services import due_for_reminder, publish_reminders
from bookings.rules import reminder_period
from bookings.states import AppointmentStatus
from docbook.outbox.models import OutboxMessage
from docbook.outbox.services import KEEP_DONE, purge_done_messages
from docbook.settings.environment import WEEK_IN_HOURS, reminder_hours
from tests.concurrency.rush import rush
from tests.days_said import day_said
from tests.factories import make_appointment, make_doctor, make_patient, make_slots, tomorrow_at
from tests.smtp import Post, post_office

pytestmark = pytest.mark.django_db

HOURS = [24, 2]
DAY, SOON = timedelta(hours=24), timedelta(hours=2)
A_SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _reminders(settings) -> None:
    settings.REMINDER_HOURS = HOURS


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as post:
        yield post


def visit(
    *, booked: timedelta = timedelta(days=10), starts_at: datetime | None = None, **fields: object
) -> Appointment:
    """A visit in five days, and how long before its start it was booked."""
    slots = make_slots(doctor=make_doctor(), starts_at=starts_at or tomorrow_at(10, days=5))
    made = make_appointment(slots=slots, **fields)
    created_at = made.starts_at - booked
    Appointment.objects.filter(pk=made.pk).update(created_at=created_at)
    return made


def remind(now: datetime, *, hours: list[int] = HOURS) -> list[str]:
    """What was published up to now, in order."""
    publish_reminders(hours=hours, now=now)
    told = OutboxMessage.objects.filter(topic="appointment.reminder").order_by("id")
    return [message.payload["kind"] for message in told]


def work(now: datetime) -> None:
    message = OutboxMessage.objects.latest("id")
    with time_machine.travel(now, tick=False):
        tasks.send_reminder([message.pk, message.handed_out])


def test_visit_is_reminded_of_once_a_day_and_once_two_hours_before() -> None:
    start = visit().starts_at
    assert remind(start - DAY - A_SECOND) == []
    assert remind(start - DAY) == ["24h"]
    assert remind(start - DAY + timedelta(minutes=5)) == ["24h"]
    assert remind(start - SOON - A_SECOND) == ["24h"]
    assert remind(start - SOON) == ["24h", "2h"]
    assert remind(start - A_SECOND) == ["24h", "2h"]


def test_message_names_the_visit_and_the_kind_and_nobody() -> None:
    made = visit()
    remind(made.starts_at - DAY)
    message = OutboxMessage.objects.get()
    assert message.aggregate_id == str(made.pk)
    assert message.payload == {"appointment_id": str(made.pk), "kind": "24h"}


def test_beat_that_was_away_makes_up_for_it_as_long_as_it_helps() -> None:
    start = visit().starts_at
    assert remind(start - timedelta(hours=5)) == ["24h"]
    other = visit(starts_at=start + timedelta(days=1)).starts_at
    assert remind(other - timedelta(hours=1)) == ["24h", "2h"]


def test_visit_that_has_begun_is_reminded_of_no_more() -> None:
    start = visit().starts_at
    assert remind(start) == []


@pytest.mark.parametrize(
    ("booked", "kinds"),
    [
        (timedelta(hours=27), ["24h", "2h"]),
        (timedelta(hours=25), ["2h"]),
        (timedelta(hours=23), ["2h"]),
        (timedelta(hours=3), []),
        (timedelta(hours=1), []),
    ],
)
def test_nobody_is_reminded_of_what_they_have_just_booked(
    booked: timedelta, kinds: list[str]
) -> None:
    start = visit(booked=booked).starts_at
    for before in (DAY, DAY - timedelta(hours=2), SOON, timedelta(hours=1)):
        told = remind(start - before)
    assert told == kinds


@pytest.mark.parametrize(
    "status",
    [AppointmentStatus.CANCELLED, AppointmentStatus.RESCHEDULED, AppointmentStatus.ARRIVED],
)
def test_visit_that_is_off_or_under_way_is_not_reminded_of(status: AppointmentStatus) -> None:
    start = visit(status=status).starts_at
    assert remind(start - DAY) == []
    assert remind(start - SOON) == []


def test_distances_are_a_setting() -> None:
    start = visit().starts_at
    assert remind(start - timedelta(hours=48), hours=[48]) == ["48h"]
    assert remind(start - SOON, hours=[]) == ["48h"]


def test_furthest_reminders_that_can_be_set_are_sent_once_though_the_outbox_forgets() -> None:
    start, week = visit(booked=timedelta(days=20)).starts_at, 7 * 24
    assert set(reminder_hours([week, 2 * week])) == {week, 2 * week}
    for days in range(14, 0, -1):
        now = start - timedelta(days=days)
        remind(now, hours=[week, 2 * week])
        OutboxMessage.objects.filter(done_at=None).update(done_at=now)
        purge_done_messages(now=now + A_SECOND)
        assert OutboxMessage.objects.count() == 1
    assert [m.payload["kind"] for m in OutboxMessage.objects.all()] == [f"{week}h"]


@pytest.mark.parametrize("values", [[336, 24], [169], [24, 193], [0, 24], [-2]])
def test_distances_that_could_remind_twice_or_too_late_are_refused_at_the_start(values) -> None:
    with pytest.raises(ImproperlyConfigured, match="REMINDER_HOURS"):
        reminder_hours(values)


def test_distances_within_what_the_outbox_remembers_are_taken_as_they_are() -> None:
    assert timedelta(hours=WEEK_IN_HOURS) == KEEP_DONE
    for values in ([], [24, 2], [2, 24], [168], [336, 168]):
        assert reminder_hours(values) == values


def test_more_visits_than_a_batch_are_reminded_of_in_turns_the_most_urgent_first(
    monkeypatch,
) -> None:
    monkeypatch.setattr(reminders, "BATCH", 3)
    soon = visit().starts_at
    remind(soon - DAY)
    for _ in range(4):
        visit(starts_at=soon + timedelta(hours=20))
    assert publish_reminders(hours=HOURS, now=soon - SOON) == 3
    assert remind(soon - SOON) == ["24h", "2h", "24h", "24h", "24h", "24h"]
    assert remind(soon - SOON) == ["24h", "2h", "24h", "24h", "24h", "24h"]


@pytest.mark.django_db(transaction=True)
def test_several_beats_at_once_remind_once() -> None:
    start = visit().starts_at
    rush(lambda _number: publish_reminders(hours=HOURS, now=start - DAY), range(4))
    assert OutboxMessage.objects.count() == 1


def test_nearest_visit_is_reminded_of_first(monkeypatch) -> None:
    monkeypatch.setattr(reminders, "BATCH", 1)
    later = visit().starts_at
    nearer = visit(starts_at=later - timedelta(hours=3))
    remind(later - DAY)
    assert OutboxMessage.objects.get().aggregate_id == str(nearer.pk)


def test_night_in_which_clocks_change_makes_nobody_early_or_late() -> None:
    """A day is 24 elapsed hours: on that Sunday the reminder comes at nine for a visit at ten."""
    zone = ZoneInfo("Europe/Amsterdam")
    spring = datetime(timezone.now().year, 3, 31, 10, tzinfo=zone)
    if spring < timezone.now() + timedelta(days=3):
        spring = spring.replace(year=spring.year + 1)
    spring -= timedelta(days=(spring.weekday() + 1) % 7)
    start = visit(starts_at=spring.astimezone(UTC)).starts_at
    saturday_at_nine = (spring - timedelta(days=1)).replace(hour=9)
    assert remind(saturday_at_nine.astimezone(UTC) - A_SECOND) == []
    assert remind(saturday_at_nine.astimezone(UTC)) == ["24h"]
    assert start.astimezone(zone).hour == 10


def test_mail_of_a_reminder_says_when_and_where(post: Post) -> None:
    made = visit(patient=make_patient(email="saskia@example.test"))
    remind(made.starts_at - DAY)
    work(made.starts_at - DAY)
    (mail,) = post.mails
    local = made.starts_at.astimezone(made.clinic.zone)
    text = mail.get_body(preferencelist=("plain",)).get_content()
    assert mail["To"] == "saskia@example.test"
    with time_machine.travel(made.starts_at - DAY, tick=False):  # when the mail was written
        day = day_said(local, "%a", "%B")
    assert mail["Subject"] == f"Reminder: {day}, {local:%H:%M}, Dr Emma Visser"
    assert mail["Message-ID"] == f"<reminder-24h-{made.pk}-1@docbook>"
    assert "Maliebaan 42" in text
    assert f"{local:%H:%M}" in text


def test_two_reminders_of_a_visit_are_two_mails(post: Post) -> None:
    made = visit()
    for before in (DAY, SOON):
        remind(made.starts_at - before)
        work(made.starts_at - before)
        work(made.starts_at - before)
    assert len({mail["Message-ID"] for mail in post.mails}) == 2
    assert len(post.mails) == 2


def test_visit_that_was_cancelled_meanwhile_is_not_reminded_of(post: Post) -> None:
    made = visit()
    remind(made.starts_at - DAY)
    Appointment.objects.filter(pk=made.pk).update(status=AppointmentStatus.CANCELLED, version=2)
    work(made.starts_at - DAY)
    assert post.mails == []
    assert OutboxMessage.objects.get().done_at is not None


@pytest.mark.parametrize(("before", "mails"), [(timedelta(hours=3), 1), (SOON, 0)])
def test_reminder_that_comes_when_the_next_is_due_is_left_to_the_next(
    post: Post, before: timedelta, mails: int
) -> None:
    made = visit()
    remind(made.starts_at - DAY)
    work(made.starts_at - before)
    assert len(post.mails) == mails


@pytest.mark.parametrize(
    ("hours", "until"), [(24, 2), (2, 0), (48, 24)], ids=["day", "soon", "two days"]
)
def test_reminder_helps_until_the_next_is_due(hours: int, until: int) -> None:
    period = reminder_period(hours=hours, of=[2, 48, 24])
    assert period == (timedelta(hours=hours), timedelta(hours=until))


def test_search_reads_an_index_of_the_months_in_question() -> None:
    now = timezone.now()
    with connection.cursor() as cursor:
        # An empty table is read as a whole, whatever indexes it has.
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = due_for_reminder(hours=24, of=HOURS, now=now).explain()
    assert "Index Cond: ((starts_at > " in plan, plan
    assert plan.count("bookings_appointment_20") <= 2 * 2, plan


def test_number_of_queries_grows_by_one_for_each_reminder(django_assert_num_queries) -> None:
    start = visit().starts_at
    for _ in range(3):
        visit(starts_at=start)
    with django_assert_num_queries(2 * 3 + 4):  # each batch: savepoint, look, release
        remind_now = publish_reminders(hours=HOURS, now=start - DAY)
    assert remind_now == 4
