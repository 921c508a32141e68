"""The practice books a caller, at once and without a code."""

import pytest
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.services import NewPatient, patient_with_proven_email
from bookings.actors.practice_member import PracticeMember
from bookings.errors import NumberNeeded, OutsideBookingWindow, PatientBusy, SlotTaken
from bookings.models import Appointment, BookingPause, Hold
from docbook.audit.models import AuditEvent
from docbook.errors import FieldError, NotYours
from docbook.outbox.models import OutboxMessage
from doctors.models import Mode, SlotState
from tests.bookings.acts import as_patient, book, take
from tests.bookings.parties import STRANGERS
from tests.bookings.schedule.callers import ANNA, Practice, make_practice
from tests.factories import (
    make_doctor,
    make_patient,
    make_slots,
    make_user,
    make_visit_type,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice() -> Practice:
    return make_practice()


def nothing_was_booked(practice: Practice) -> bool:
    practice.slots[0].refresh_from_db()
    is_open = practice.slots[0].state == SlotState.OPEN
    return is_open and not Appointment.objects.exists() and not OutboxMessage.objects.exists()


def test_caller_without_an_address_is_a_full_patient(practice: Practice) -> None:
    visit = practice.books(reason="A rash")
    patient = User.objects.get(pk=visit.patient_id)
    assert (patient.email, patient.phone, patient.has_usable_password()) == (
        None,
        ANNA.phone,
        False,
    )
    assert (visit.patient_name, visit.status, visit.reason) == ("Anna Smit", "confirmed", "A rash")
    assert visit.visit_name == practice.visit_type.name
    practice.slots[0].refresh_from_db()
    assert (practice.slots[0].state, practice.slots[0].hold_id) == (SlotState.BOOKED, visit.pk)
    assert practice.names("anna smit") == ["Anna Smit"]


def test_two_people_without_an_address_are_two_patients(practice: Practice) -> None:
    first, second = practice.books(), practice.books(at=1)
    assert first.patient_id != second.patient_id


def test_it_is_recorded_as_an_act_of_the_person_who_did_it(practice: Practice) -> None:
    visit = practice.books()
    events = AuditEvent.objects.order_by("id")
    assert [each.action for each in events] == [
        "patient.added",
        "hold.created",
        "appointment.confirmed",
    ]
    for each in events:
        assert (each.actor_kind, each.actor_id) == ("secretary", practice.secretary.user.pk)
    said = " ".join(str((each.object_id, each.before, each.after)) for each in events)
    assert "Smit" not in said
    assert "5550" not in said
    assert str(visit.pk) in said


def test_message_says_that_the_practice_has_booked_and_names_nobody(practice: Practice) -> None:
    visit = practice.books()
    message = OutboxMessage.objects.get()
    assert message.topic == "appointment.confirmed"
    assert message.payload == {
        "appointment_id": str(visit.pk),
        "version": "1",
        "booked_by": "practice",
    }


def test_patient_who_is_known_keeps_their_account(practice: Practice) -> None:
    patient = practice.knows(first_name="Hanna", last_name="Lindqvist")
    visit = practice.books(patient)
    assert visit.patient == patient
    assert Hold.objects.get(pk=visit.pk).email == patient.email


def test_address_of_an_account_is_not_taken_for_somebody_new(practice: Practice) -> None:
    """Its owner may be somebody else, such as the caller's mother."""
    make_patient(email="mother@mail.test")
    with pytest.raises(FieldError) as refusal:
        practice.books(NewPatient("Anna", "Smit", email="Mother@mail.test"))
    assert (refusal.value.field, refusal.value.field_code) == ("email", "known")
    assert nothing_was_booked(practice)


def test_new_patient_can_be_reached_somehow(practice: Practice) -> None:
    with pytest.raises(FieldError) as refusal:
        practice.books(NewPatient("Anna", "Smit"))
    assert refusal.value.field == "phone"
    assert nothing_was_booked(practice)


def test_same_booking_twice_is_one_visit(practice: Practice) -> None:
    booking_id = uuid7()
    first = practice.books(booking_id=booking_id)
    assert practice.books(booking_id=booking_id) == first
    assert practice.books(booking_id=booking_id, at=1) == first
    assert Appointment.objects.count() == 1
    assert User.objects.filter(last_name="Smit").count() == 1


def test_id_of_somebody_elses_visit_is_refused(practice: Practice) -> None:
    theirs = make_practice().books()
    with pytest.raises(NotYours):
        practice.books(booking_id=theirs.pk)


def test_practice_needs_no_notice_and_no_open_booking() -> None:
    practice = make_practice(min_notice_minutes=7 * 24 * 60)
    BookingPause.objects.update_or_create(pk=1, defaults={"is_on": True})
    assert practice.books().starts_at == practice.slots[0].starts_at


def test_time_that_has_begun_is_over(practice: Practice) -> None:
    with pytest.raises(OutsideBookingWindow):
        practice.books(now=practice.slots[0].starts_at)
    assert nothing_was_booked(practice)


def test_time_that_a_patient_is_confirming_is_taken(practice: Practice) -> None:
    take(practice.slots[0], visit_type=practice.visit_type, holder=as_patient(make_patient()))
    with pytest.raises(SlotTaken) as refusal:
        practice.books()
    assert [each.slot_id for each in refusal.value.alternatives] == [
        slot.pk for slot in practice.slots[1:]
    ]
    assert not User.objects.filter(last_name="Smit").exists()


def test_patient_is_in_one_place_at_a_time(practice: Practice) -> None:
    patient, elsewhere = make_patient(), make_practice()
    other = book(elsewhere.slots[0], visit_type=elsewhere.visit_type, holder=as_patient(patient))
    with pytest.raises(PatientBusy) as refusal:
        practice.books(patient)
    assert refusal.value.appointment == other


def test_call_by_phone_needs_a_number(practice: Practice) -> None:
    by_phone = make_visit_type(doctor=practice.doctor, mode=Mode.PHONE)
    with pytest.raises(NumberNeeded):
        practice.books(
            NewPatient("Anna", "Smit", email="anna@mail.test"), visit_type_id=by_phone.pk
        )


def test_long_visit_takes_its_slots(practice: Practice) -> None:
    long = make_visit_type(doctor=practice.doctor, slots=3)
    visit = practice.books(visit_type_id=long.pk)
    assert Hold.objects.get(pk=visit.pk).slot_ids == [slot.pk for slot in practice.slots[:3]]
    with pytest.raises(FieldError):
        practice.books(visit_type_id=long.pk, at=2)


@pytest.mark.parametrize("foreign", [make_visit_type, lambda: make_visit_type(is_active=False)])
def test_visit_of_another_doctor_is_unknown(practice: Practice, foreign) -> None:
    with pytest.raises(FieldError):
        practice.books(visit_type_id=foreign().pk)


def test_slot_of_another_doctor_is_unknown(practice: Practice) -> None:
    [slot] = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=5))
    with pytest.raises(FieldError):
        practice.books(slot_id=slot.pk)


@pytest.mark.parametrize("who", ["another doctor", "another secretary"])
def test_strangers_book_nothing(practice: Practice, who: str) -> None:
    visit = practice.books(at=3)
    stranger = STRANGERS[who](visit)
    with pytest.raises(NotYours):
        practice.books(by=stranger)


def test_doctor_and_staff_book_too(practice: Practice) -> None:
    assert practice.books(by=PracticeMember(practice.doctor.user))
    assert practice.books(by=PracticeMember(make_user(is_staff=True)), at=1)


def test_somebody_who_proves_the_address_finds_the_visit_in_their_account(
    practice: Practice,
) -> None:
    visit = practice.books(NewPatient("Anna", "Smit", email="anna@mail.test"))
    names = {"first_name": "Anna", "last_name": "Smit", "phone": ""}
    owner = patient_with_proven_email(email="anna@mail.test", **names)
    assert owner == visit.patient
