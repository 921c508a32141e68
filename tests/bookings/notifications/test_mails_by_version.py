"""Each mail about a visit describes one state, however late it is and whatever has happened
since.
"""

from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from icalendar import Calendar, Event

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment, mark_arrived
from bookings.appointments.services.moves import move_appointment
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment
from docbook.outbox.models import OutboxMessage
from tests.bookings.acts import as_patient, code_of, hold_instead
from tests.bookings.agreements import Booked, booked
from tests.bookings.receiving import receive
from tests.factories import make_secretary

pytestmark = pytest.mark.django_db


def moved(made: Booked, *, to: int) -> Booked:
    hold = hold_instead(made.visit, made.slots[to])
    new = confirm_booking(hold_id=hold.pk, holder=as_patient(made.patient), code=code_of(hold))
    return Booked(new, made.slots, made.patient)


def secretary(made: Booked) -> PracticeMember:
    return PracticeMember(make_secretary(doctor=made.visit.doctor))


def moved_by_the_practice(made: Booked, *, to: int) -> Booked:
    new = move_appointment(
        appointment_id=made.visit.pk, slot_id=made.slots[to].pk, by=secretary(made),
        version=made.visit.version, reason="She operates", now=timezone.now(),
    )  # fmt: skip
    return Booked(new, made.slots, made.patient)


def cancelled(made: Booked, *, by: Any = None) -> None:
    cancel_appointment(
        appointment_id=made.visit.pk, by=by or as_patient(made.patient),
        version=made.visit.version, reason="No more", now=timezone.now(),
    )  # fmt: skip


def events() -> list[tuple[str, Event]]:
    """Subject and calendar entry of each sent mail, except codes."""
    found = []
    for sent in mail.outbox:
        for name, content, _type in sent.attachments:
            assert name == "appointment.ics"
            found.append((sent.subject, Calendar.from_ical(content).walk("VEVENT")[0]))
    return found


def told() -> list[tuple[str, int, str]]:
    return [
        (subject.partition(":")[0], int(event["SEQUENCE"]), str(event["STATUS"]))
        for subject, event in events()
    ]


def visits_only() -> None:
    receive(*(f"appointment.{each}" for each in ("confirmed", "moved", "updated", "cancelled")))


@pytest.mark.parametrize("move", [moved, moved_by_the_practice])
@pytest.mark.parametrize("by_practice", [False, True])
def test_move_and_cancellation_before_any_mail_has_gone_are_two_states(
    move: Any, by_practice: bool
) -> None:
    """Moved twice, then cancelled, while no mail was sent."""
    made = moved(booked(), to=3)
    visits_only()
    mail.outbox.clear()
    made = move(made, to=6)
    cancelled(made, by=secretary(made) if by_practice else None)
    visits_only()
    assert told() == [("Moved", 4, "CONFIRMED"), ("Cancelled", 5, "CANCELLED")]
    assert {event["DTSTART"].dt for _, event in events()} == {made.slots[6].starts_at}


def test_stamps_grow_with_the_states() -> None:
    made = moved(booked(), to=3)
    cancelled(made)
    visits_only()
    stamps = [event["DTSTAMP"].dt for _, event in events()]
    assert stamps == sorted(stamps)
    numbers = [event["SEQUENCE"] for _, event in events()]
    assert numbers == [0, 2, 3]


def test_confirmation_and_cancellation_before_any_mail_has_gone() -> None:
    cancelled(booked())
    visits_only()
    assert told() == [("Confirmed", 0, "CONFIRMED"), ("Cancelled", 1, "CANCELLED")]


def test_every_move_is_told_with_its_own_time_and_number() -> None:
    made = booked()
    for to in (2, 4, 6):
        made = moved(made, to=to)
    visits_only()
    assert told() == [
        ("Confirmed", 0, "CONFIRMED"), ("Moved", 2, "CONFIRMED"), ("Moved", 4, "CONFIRMED"),
        ("Moved", 6, "CONFIRMED"),
    ]  # fmt: skip
    assert [event["DTSTART"].dt for _, event in events()] == [
        made.slots[n].starts_at for n in (0, 2, 4, 6)
    ]
    assert len({str(event["UID"]) for _, event in events()}) == 1


def test_mail_that_comes_after_the_one_of_the_move_is_left_out() -> None:
    """The mail of the move crosses out the old time; a confirmation of that time would only
    confuse.
    """
    made = moved(booked(), to=3)
    receive("appointment.moved")
    receive("appointment.confirmed")
    assert [what for what, _, _ in told()] == ["Moved"]
    assert made.visit.status == "confirmed"


def test_repeat_of_a_mail_says_the_same_though_the_visit_was_cancelled_meanwhile() -> None:
    made = booked()
    visits_only()
    cancelled(made)
    OutboxMessage.objects.filter(topic="appointment.confirmed").update(done_at=None)
    OutboxMessage.objects.filter(topic="appointment.confirmed").first().deliveries.all().delete()
    receive("appointment.confirmed")
    (first, again) = mail.outbox
    assert first.extra_headers["Message-ID"] == again.extra_headers["Message-ID"]
    assert first.attachments[0][1] == again.attachments[0][1]


def test_visit_that_has_begun_is_confirmed_no_more() -> None:
    made = booked()
    mark_arrived(appointment_id=made.visit.pk, by=secretary(made), version=1, now=timezone.now())
    visits_only()
    assert mail.outbox == []


def test_message_of_the_release_before_is_left_to_the_mail_of_the_change() -> None:
    made = booked()
    OutboxMessage.objects.filter(topic="appointment.confirmed").update(
        payload={"appointment_id": str(made.visit.pk)}
    )
    cancelled(made)
    visits_only()
    assert told() == [("Cancelled", 1, "CANCELLED")]
    assert Appointment.objects.get(pk=made.visit.pk).version == 2
