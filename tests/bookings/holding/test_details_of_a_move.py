"""Which details are known before anybody types them, and whether a move's code goes out at once."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from bookings.actors.holder import Holder
from bookings.engine.selectors import get_hold
from bookings.holding.services.codes import known_details, request_code_of_move
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment, Hold
from docbook.errors import FieldError, RateLimited
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot
from tests.bookings.acts import (
    as_patient,
    ask_for_code,
    book,
    bookable,
    guest,
    take,
)
from tests.factories import make_patient

pytestmark = pytest.mark.django_db


def counted() -> tuple[list[str], Callable[[], None]]:
    asked: list[str] = []
    return asked, lambda: asked.append("asked")


def moving(visit: Appointment, slot: Slot, *, holder: Holder) -> Hold:
    """Held for the move, before anybody knows who comes."""
    return hold_slot(
        slot_id=slot.pk,
        visit_type_id=visit.visit_type_id,
        holder=holder,
        replaces=visit.pk,
        now=timezone.now(),
    )


def codes_of(hold: Hold) -> int:
    return OutboxMessage.objects.filter(topic="otp.requested", aggregate_id=str(hold.pk)).count()


def test_account_is_known_and_a_guest_is_not() -> None:
    visit_type, slots = bookable()
    patient = make_patient(first_name="Ada", last_name="Bakker", phone="+31 30 555 0177")
    hold = take(slots[0], visit_type=visit_type, holder=as_patient(patient))
    assert known_details(hold, holder=as_patient(patient)) == {
        "first_name": "Ada",
        "last_name": "Bakker",
        "phone": "+31 30 555 0177",
    }
    holder = guest()
    other = take(slots[1], visit_type=visit_type, holder=holder)
    assert known_details(other, holder=holder) == {}


def test_what_was_typed_for_this_time_is_known() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = take(slots[0], visit_type=visit_type, holder=holder)
    asked = ask_for_code(hold, holder=holder, first_name="Ids", reason="A cough")
    known = known_details(asked, holder=holder)
    assert (known["first_name"], known["reason"], known["email"]) == (
        "Ids",
        "A cough",
        "saskia.kuipers@example.test",
    )


def test_code_of_a_move_goes_to_the_account_at_once() -> None:
    visit_type, slots = bookable()
    patient = make_patient()
    holder = as_patient(patient)
    visit = book(slots[0], visit_type=visit_type, holder=holder)
    asked, count = counted()
    hold = request_code_of_move(
        moving(visit, slots[1], holder=holder),
        holder=holder,
        count_request=count,
        now=timezone.now(),
    )
    assert asked == ["asked"]
    assert (hold.email, codes_of(hold)) == (patient.email, 1)


@pytest.mark.parametrize("unknown", ["first_name", "last_name"])
def test_move_of_a_visit_without_a_name_asks_for_it_and_counts_nothing(unknown: str) -> None:
    visit_type, slots = bookable()
    holder = as_patient(make_patient())
    visit = book(slots[0], visit_type=visit_type, holder=holder)
    Hold.objects.filter(pk=visit.pk).update(**{unknown: ""})
    asked, count = counted()
    hold = request_code_of_move(
        moving(visit, slots[1], holder=holder),
        holder=holder,
        count_request=count,
        now=timezone.now(),
    )
    assert asked == []
    assert (hold.code_sent_at, codes_of(hold)) == (None, 0)


def test_move_whose_sender_has_asked_too_often_waits_at_its_details() -> None:
    visit_type, slots = bookable()
    holder = as_patient(make_patient())
    visit = book(slots[0], visit_type=visit_type, holder=holder)

    def too_often() -> None:
        raise RateLimited(retry_after=60)

    hold = request_code_of_move(
        moving(visit, slots[1], holder=holder),
        holder=holder,
        count_request=too_often,
        now=timezone.now(),
    )
    assert (hold.code_sent_at, codes_of(hold)) == (None, 0)


def test_another_address_gets_a_code_and_the_same_gets_nothing_twice() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = take(slots[0], visit_type=visit_type, holder=holder)
    ask_for_code(hold, holder=holder)
    ask_for_code(hold, holder=holder)
    assert codes_of(hold) == 1
    ask_for_code(hold, holder=holder, email="another@example.test")
    assert codes_of(hold) == 2
    found = get_hold(hold_id=hold.pk, holder=holder)
    assert (found.email, found.otp_resends) == ("another@example.test", 1)


def test_guest_moves_a_visit_with_its_own_address_only() -> None:
    visit_type, slots = bookable()
    holder = guest()
    visit = book(slots[0], visit_type=visit_type, holder=holder)
    hold = moving(visit, slots[1], holder=holder)
    with pytest.raises(FieldError) as refusal:
        ask_for_code(hold, holder=holder, email="another@example.test")
    assert (refusal.value.field, refusal.value.field_code) == ("email", "other-address")
    assert refusal.value.message == "A visit moves with the address that it was booked with."
