"""The right code, once, in time, makes an appointment; nothing else does."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as current
from django.db import connection
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.models import User
from accounts.services import patient_with_proven_email
from bookings.engine.services import release_hold
from bookings.errors import DetailsMissing, HoldExpired, OtpInvalid, OtpLocked, PatientBusy
from bookings.holding.codes import derive
from bookings.holding.services import confirmation
from bookings.holding.services.codes import resend_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold, HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS
from docbook.audit.models import AuditEvent
from docbook.errors import NotFound, NotYours
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot
from tests.bookings.acts import (
    allow_resend,
    as_patient,
    ask_for_code,
    attempt,
    book,
    bookable,
    code_of,
    guest,
    let_expire,
    take,
    wrong_code,
)
from tests.bookings.traces import traces
from tests.factories import make_appointment, make_patient, make_slots

pytestmark = pytest.mark.django_db


def test_confirmation_writes_slot_hold_appointment_audit_and_message_together() -> None:
    visit_type, slots = bookable(slots=2)
    appointment = book(slots[0], visit_type=visit_type, holder=guest())
    hold = Hold.objects.get(pk=appointment.pk)
    assert hold.state == HoldState.CONFIRMED
    assert (appointment.doctor, appointment.visit_type) == (visit_type.doctor, visit_type)
    assert (appointment.starts_at, appointment.ends_at) == (slots[0].starts_at, slots[1].ends_at)
    assert (appointment.status, appointment.version) == ("confirmed", 1)
    assert (appointment.price_cents, appointment.currency) == (6000, "EUR")
    booked = Slot.objects.filter(hold_id=hold.pk).values_list("state", "held_until")
    assert list(booked) == [("booked", None), ("booked", None)]
    event = AuditEvent.objects.get(action="appointment.confirmed")
    assert (event.actor_kind, event.object_id) == ("guest", str(hold.pk))
    message = OutboxMessage.objects.get(topic="appointment.confirmed")
    assert message.payload == {"appointment_id": str(hold.pk), "version": "1"}


def test_price_is_that_of_the_day_of_booking() -> None:
    visit_type, slots = bookable()
    appointment = book(slots[0], visit_type=visit_type, holder=guest())
    visit_type.price_cents = 9900
    visit_type.save()
    assert Appointment.objects.get(pk=appointment.pk).price_cents == 6000


def test_confirmation_retried_answers_with_the_same_appointment_whatever_the_code() -> None:
    visit_type, slots = bookable()
    holder = guest()
    first = book(slots[0], visit_type=visit_type, holder=holder)
    before = traces()
    for code in ("000000", "999999"):
        assert confirm_booking(hold_id=first.pk, holder=holder, code=code) == first
    assert traces() == before


def test_wrong_codes_are_counted_and_the_fifth_gives_the_time_back() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    for left in (4, 3, 2, 1):
        with pytest.raises(OtpInvalid) as refusal:
            confirm_booking(hold_id=hold.pk, holder=holder, code=wrong_code(hold))
        assert refusal.value.attempts_left == left
    for _ in range(2):
        with pytest.raises(OtpLocked):
            confirm_booking(hold_id=hold.pk, holder=holder, code=wrong_code(hold))
    with pytest.raises(OtpLocked):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    hold.refresh_from_db()
    assert (hold.state, hold.otp_attempts) == (HoldState.RELEASED, 5)
    assert not Appointment.objects.exists()
    assert not Slot.objects.exclude(state="open").exists()


def test_new_code_does_not_give_new_tries() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    for number in range(3):
        with pytest.raises(OtpInvalid):
            confirm_booking(hold_id=hold.pk, holder=holder, code=wrong_code(hold))
        ask_for_code(hold, holder=holder, email=f"again-{number}@example.test")
    with pytest.raises(OtpInvalid) as refusal:
        confirm_booking(hold_id=hold.pk, holder=holder, code=wrong_code(hold))
    assert refusal.value.attempts_left == 1


def test_code_from_before_a_resend_opens_nothing() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    old = code_of(hold)
    allow_resend(hold)
    ask_for_code(hold, holder=holder, email="moved@example.test")
    with pytest.raises(OtpInvalid):
        confirm_booking(hold_id=hold.pk, holder=holder, code=old)


def test_code_of_the_last_resend_opens() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    for _ in range(3):
        allow_resend(hold)
        resend_code(hold_id=hold.pk, holder=holder, now=timezone.now())
    assert confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold)).pk == hold.pk


@pytest.mark.parametrize("who", ["guest", "patient"])
def test_gate_of_a_confirmed_time_is_open(who: str, django_capture_on_commit_callbacks) -> None:
    """The slot is booked: the database tells the next patient so, with other times."""
    visit_type, slots = bookable()
    holder = guest() if who == "guest" else as_patient(make_patient())
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    redis = get_redis_connection("default")
    assert redis.keys("lock:slot:*")
    with django_capture_on_commit_callbacks(execute=True):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert not redis.keys("lock:slot:*")


def test_code_of_another_booking_opens_nothing() -> None:
    visit_type, slots = bookable()
    mine, other = guest(), guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=mine)
    foreign = attempt(slots[1], visit_type=visit_type, holder=other)
    with pytest.raises(OtpInvalid):
        confirm_booking(hold_id=hold.pk, holder=mine, code=code_of(foreign))


def test_code_sent_before_the_keys_were_rotated_still_opens(settings) -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    sent = code_of(hold)
    settings.OTP_KEYS = ["the key of tomorrow", *current.OTP_KEYS]
    assert derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=0) != sent
    assert confirm_booking(hold_id=hold.pk, holder=holder, code=sent).pk == hold.pk


def test_expired_hold_is_not_confirmed_even_if_nobody_has_swept_it() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    let_expire(hold)
    before = traces()
    with pytest.raises(HoldExpired):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert traces() == before


def test_released_hold_is_not_confirmed() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    release_hold(hold_id=hold.pk, holder=holder)
    with pytest.raises(HoldExpired):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert not Appointment.objects.exists()


def test_hold_without_details_is_not_confirmed() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = take(slots[0], visit_type=visit_type, holder=holder)
    with pytest.raises(DetailsMissing):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert not Appointment.objects.exists()


def test_hold_judged_by_the_clock_of_the_database_not_of_the_app(time_machine) -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    time_machine.move_to(timezone.now() + timedelta(minutes=10))
    assert confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold)).pk == hold.pk


def test_wrong_code_after_the_five_minutes_is_late_and_not_counted() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    let_expire(hold)
    before = traces()
    with pytest.raises(HoldExpired):
        confirm_booking(hold_id=hold.pk, holder=holder, code=wrong_code(hold))
    assert traces() == before


@pytest.mark.parametrize("stranger", [guest, lambda: as_patient(make_patient())])
def test_stranger_with_the_right_code_confirms_nothing(stranger) -> None:
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    holder = stranger()
    before = traces()
    with pytest.raises(NotFound):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert traces() == before


def test_refusal_tells_the_audit_alone_that_the_hold_is_somebody_elses() -> None:
    visit_type, slots = bookable()
    hold = attempt(slots[0], visit_type=visit_type, holder=guest())
    with pytest.raises(NotYours) as theirs:
        confirm_booking(hold_id=hold.pk, holder=guest(), code=code_of(hold))
    assert (theirs.value.object_type, theirs.value.pk) == ("hold", hold.pk)
    with pytest.raises(NotFound) as nobodys:
        confirm_booking(hold_id=uuid4(), holder=guest(), code="123456")
    assert type(nobodys.value) is NotFound
    assert theirs.value.code == nobodys.value.code


@pytest.mark.parametrize("attempts", [0, MAX_CODE_ATTEMPTS - 1])
def test_code_that_is_replaced_while_the_account_is_made_counts_as_wrong(
    monkeypatch, attempts: int
) -> None:
    """Between the two looks at a guest's code, a resend may come. What is counted stays counted."""
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    Hold.objects.filter(pk=hold.pk).update(otp_attempts=attempts)

    def resent_meanwhile(**who: str) -> User:
        Hold.objects.filter(pk=hold.pk).update(otp_resends=1)
        return patient_with_proven_email(**who)

    monkeypatch.setattr(confirmation, "patient_with_proven_email", resent_meanwhile)
    with pytest.raises(OtpLocked if attempts else OtpInvalid):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    hold.refresh_from_db()
    assert hold.otp_attempts == attempts + 1
    assert not Appointment.objects.exists()


def test_doctor_confirms_nothing_in_the_name_of_their_patient() -> None:
    visit_type, slots = bookable()
    visit_type.doctor.user = make_patient()
    visit_type.doctor.save()
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    with pytest.raises(NotFound):
        confirm_booking(
            hold_id=hold.pk, holder=as_patient(visit_type.doctor.user), code=code_of(hold)
        )


def test_guest_of_a_known_address_books_for_the_account_of_that_address() -> None:
    patient = make_patient(email="known@example.test")
    visit_type, slots = bookable()
    appointment = book(slots[0], visit_type=visit_type, holder=guest(), email="known@example.test")
    assert appointment.patient == patient
    assert appointment.patient_name == "Saskia Kuipers"
    patient.refresh_from_db()
    assert patient.get_full_name() == "Noor Bakker"


def test_guest_of_an_unknown_address_gets_an_account_without_a_password() -> None:
    visit_type, slots = bookable()
    appointment = book(slots[0], visit_type=visit_type, holder=guest())
    patient = User.objects.get(email="saskia.kuipers@example.test")
    assert appointment.patient == patient
    assert not patient.has_usable_password()
    assert not patient.is_staff
    assert not patient.is_superuser


def test_guest_who_turns_out_to_be_busy_books_nothing_and_keeps_the_hold() -> None:
    patient = make_patient(email="busy@example.test")
    elsewhere, their_slots = bookable()
    visit = book(their_slots[0], visit_type=elsewhere, holder=as_patient(patient))
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder, email=patient.email)
    before = traces()
    with pytest.raises(PatientBusy) as refusal:
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert refusal.value.appointment == visit
    assert traces() == before


def test_visits_that_touch_do_not_overlap() -> None:
    patient = as_patient(make_patient())
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=patient)
    other, _ = bookable(count=0)
    (following,) = make_slots(doctor=other.doctor, starts_at=slots[0].ends_at)
    assert book(following, visit_type=other, holder=patient).starts_at == slots[0].ends_at


def test_cancelled_visit_leaves_the_patient_free_at_that_time() -> None:
    patient = as_patient(make_patient())
    visit_type, slots = bookable()
    cancelled = book(slots[0], visit_type=visit_type, holder=patient)
    Appointment.objects.filter(pk=cancelled.pk).update(status="cancelled", version=2)
    other, other_slots = bookable()
    assert take(other_slots[0], visit_type=other, holder=patient).state == HoldState.HELD


def test_overlap_that_only_the_database_sees_is_the_same_refusal() -> None:
    """Two visits confirmed at one instant: neither sees the other, but the constraint does."""
    patient = as_patient(make_patient())
    visit_type, slots = bookable()
    other, other_slots = bookable()
    first = attempt(slots[0], visit_type=visit_type, holder=patient)
    second = attempt(other_slots[0], visit_type=other, holder=patient)
    confirm_booking(hold_id=first.pk, holder=patient, code=code_of(first))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION bookings_other_visits_of(patient bigint,"
            " from_ timestamptz, until_ timestamptz, apart_from uuid, at_ timestamptz)"
            " RETURNS SETOF bookings_other_visits LANGUAGE sql"
            " AS 'SELECT NULL::uuid, NULL::timestamptz, 0::bigint'"
        )
    before = traces()
    with pytest.raises(PatientBusy) as refusal:
        confirm_booking(hold_id=second.pk, holder=patient, code=code_of(second))
    assert refusal.value.appointment is None  # nobody has read it
    assert traces() == before


def test_time_that_has_an_appointment_although_its_slot_is_free_is_not_given_twice() -> None:
    """This should never happen. If it does, the constraint on appointments refuses, and nobody sees
    a 500.
    """
    visit_type, slots = bookable()
    make_appointment(slots=slots[:1])
    Slot.objects.filter(pk=slots[0].pk).update(state="open", hold_id=None)
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    before = traces()
    with pytest.raises(HoldExpired):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert traces() == before
