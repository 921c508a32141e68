"""Several people book one time at one instant: two secretaries, or a secretary and a patient."""

from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.services import NewPatient
from bookings.actors.holder import Holder
from bookings.actors.practice_member import PracticeMember
from bookings.errors import SlotHeld, SlotTaken
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment, Hold
from bookings.schedule.desk import services
from doctors.models import Slot
from doctors.services import claims
from tests.bookings.schedule.callers import Practice, make_practice
from tests.concurrency.rush import rush
from tests.factories import make_patient, make_secretary

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8


def somebody() -> NewPatient:
    return NewPatient("Anna", "Smit", email=f"{uuid4()}@mail.test")


def kinds(answers: list[Any]) -> list[str]:
    return sorted(type(each).__name__ for each in answers)


def test_of_two_secretaries_who_book_one_time_one_wins() -> None:
    for _ in range(ROUNDS):
        practice = make_practice()
        both = [practice.secretary, PracticeMember(make_secretary(doctor=practice.doctor))]
        answers = rush(lambda by, to=practice: to.books(somebody(), by=by), both)
        assert kinds(answers) == ["Appointment", "SlotTaken"]
        assert Appointment.objects.filter(doctor=practice.doctor).count() == 1
        assert Hold.objects.filter(doctor=practice.doctor).count() == 1


def test_of_a_secretary_and_a_patient_one_gets_the_time() -> None:
    for _ in range(ROUNDS):
        practice = make_practice()

        def act(who: str, practice: Practice = practice) -> Any:
            if who == "secretary":
                return practice.books(somebody())
            return hold_slot(
                slot_id=practice.slots[0].pk,
                visit_type_id=practice.visit_type.pk,
                holder=Holder(guest_key=uuid4()),
                now=timezone.now(),
            )

        answers = rush(act, ["secretary", "patient"])
        refused = [each for each in answers if isinstance(each, SlotHeld | SlotTaken)]
        assert len(refused) == 1, answers
        slot = Slot.objects.get(pk=practice.slots[0].pk)
        [kept] = [each for each in answers if each not in refused]
        assert slot.hold_id == kept.pk


def test_enter_twice_at_one_instant_is_one_visit() -> None:
    for _ in range(ROUNDS):
        practice, booking_id = make_practice(), uuid7()
        answers = rush(
            lambda at, to=practice, key=booking_id: to.books(somebody(), at=at, booking_id=key),
            [0, 0, 1],
        )
        assert {each.pk for each in answers} == {booking_id}, answers
        assert Appointment.objects.filter(doctor=practice.doctor).count() == 1


def test_patient_is_booked_by_one_of_two_practices() -> None:
    for _ in range(ROUNDS):
        patient = make_patient()
        answers = rush(lambda to, who=patient: to.books(who), [make_practice(), make_practice()])
        assert kinds(answers) == ["Appointment", "PatientBusy"]


def test_address_of_two_new_patients_opens_one_account() -> None:
    for _ in range(ROUNDS):
        new = NewPatient("Anna", "Smit", email=f"{uuid4()}@mail.test")
        answers = rush(lambda to, new=new: to.books(new), [make_practice(), make_practice()])
        assert kinds(answers) == ["Appointment", "FieldError"]
        assert User.objects.filter(email=new.email).count() == 1


def test_without_the_condition_of_the_claim_both_would_have_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The negative control: both find the slot free, and then both write."""
    practice, barrier = make_practice(), Barrier(2)

    def claim(*, slot_ids: list[int], hold_id: UUID) -> bool:
        is_free = not Slot.objects.filter(pk__in=slot_ids).exclude(state="open").exists()
        barrier.wait(10)
        return is_free

    monkeypatch.setattr(claims, "lock_slots", lambda **_: None)
    monkeypatch.setattr(claims, "book_slots", claim)
    written: list[Hold] = []
    monkeypatch.setattr(services, "_write", lambda hold, by: written.append(hold))
    rush(lambda _: practice.books(somebody()), [0, 1])
    assert [hold.slot_ids for hold in written] == [[practice.slots[0].pk]] * 2
