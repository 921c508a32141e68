"""A hold and a confirmation are one statement each, and one round trip."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from django_redis import get_redis_connection

from bookings.appointments.serializers import BookingOut
from bookings.errors import AppointmentLimit, BookingDisabled, HoldExpired, HoldLimit, SlotHeld
from bookings.holding.serializers import AttemptOut
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import OfferTerms, hold_slot
from bookings.models import Appointment, BookingPause, Hold
from docbook.http.models import IdempotencyRecord
from doctors.models import Slot
from tests.api.client import Api, problem
from tests.bookings.acts import (
    as_patient,
    ask_for_code,
    attempt,
    book,
    bookable,
    code_of,
    guest,
    let_expire,
    take,
)
from tests.bookings.traces import traces
from tests.factories import (
    make_appointment,
    make_doctor,
    make_patient,
    make_slots,
    make_visit_type,
    make_waitlist_entry,
)

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_hold_by_the_api_is_one_statement_outside_of_any_transaction(
    django_assert_num_queries,
) -> None:
    api, (visit_type, slots) = Api(make_patient()), bookable()
    with django_assert_num_queries(1) as captured:
        assert api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).status_code == 201
    assert "FROM bookings_hold(" in captured.captured_queries[0]["sql"]


@pytest.mark.django_db(transaction=True)
def test_confirmation_by_the_api_is_one_statement_outside_of_any_transaction(
    django_assert_num_queries,
) -> None:
    patient = make_patient()
    api, (visit_type, slots) = Api(patient), bookable()
    started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()
    hold = Hold.objects.get(pk=started["attemptId"])
    code = code_of(hold)
    with django_assert_num_queries(1) as captured:
        assert api.verify(hold.pk, code).status_code == 200
    assert "FROM bookings_confirm(" in captured.captured_queries[0]["sql"]
    assert code not in captured.captured_queries[0]["sql"].replace(str(hold.pk), "")


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize(
    "phone", ["", "06 5550 1234", "+31 6 5550-1234", "0031.65550123", "+1", "+49 (0) x"]
)
def test_answer_of_a_hold_is_what_the_serializer_says_of_it(
    settings, channel: str, phone: str
) -> None:
    settings.CODE_CHANNEL = channel
    api, (visit_type, slots) = Api(make_patient(phone=phone)), bookable(slots=2)
    answer = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()
    hold = Hold.objects.select_related("clinic").get(pk=answer["attemptId"])
    assert answer == AttemptOut(hold).data


@pytest.mark.parametrize("reason", ["", 'A "rash" \\ on \u0660 the elbow', "<b>", "{status}"])
def test_answer_of_a_confirmation_is_what_the_serializer_says_of_it(reason: str) -> None:
    patient = make_patient(first_name="{reason}", last_name="")
    api, (visit_type, slots) = Api(patient), bookable()
    started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk, reason=reason).json()
    hold = Hold.objects.get(pk=started["attemptId"])
    first = api.verify(hold.pk, code_of(hold))
    assert first.json() == BookingOut(Appointment.objects.get(pk=hold.pk)).data
    assert first.json()["reason"] == reason
    assert api.verify(hold.pk, "000000").content == first.content
    assert api.get(f"bookings/{hold.pk}").json() == first.json()


def test_eleventh_time_from_one_address_is_refused_for_everybody() -> None:
    visit_type, slots = bookable(count=12)
    holds = [hold_from(7, slot, visit_type) for slot in slots[:10]]
    before = traces()
    with pytest.raises(HoldLimit) as refusal:
        hold_from(7, slots[10], visit_type)
    assert (refusal.value.limit, refusal.value.until) == (10, holds[0].expires_at)
    assert traces() == before
    assert hold_from(8, slots[10], visit_type).made_from == 8


def hold_from(address: int, slot: Slot, visit_type: object) -> Hold:
    return hold_slot(
        slot_id=slot.pk,
        visit_type_id=visit_type.pk,
        holder=guest(),
        address=address,
        now=timezone.now(),
    )


def test_patient_has_so_many_visits_ahead_with_those_held_and_no_more(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 2
    patient = make_patient()
    visit_type, slots = bookable()
    book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    take(slots[1], visit_type=visit_type, holder=as_patient(patient))
    before = traces()
    with pytest.raises(AppointmentLimit) as refusal:
        take(slots[2], visit_type=visit_type, holder=as_patient(patient))
    assert refusal.value.limit == 2
    assert traces() == before


def test_guest_whose_account_has_enough_visits_ahead_is_told_with_the_code(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 1
    patient = make_patient()
    make_appointment(slots=make_slots(doctor=make_doctor(), count=1), patient=patient)
    visit_type, slots = bookable(count=3)
    with pytest.raises(AppointmentLimit):
        book(slots[2], visit_type=visit_type, holder=guest(), email=patient.email)


def test_pause_refuses_new_holds_and_lets_those_confirm_that_are_held() -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    until = timezone.now() + timedelta(minutes=10)
    BookingPause.objects.create(is_on=True, until=until, message="We move to a new machine.")
    before = traces()
    with pytest.raises(BookingDisabled) as refusal:
        take(slots[1], visit_type=visit_type, holder=guest())
    assert refusal.value.message == "We move to a new machine."
    assert 590 <= refusal.value.retry_after <= 600
    assert traces() == before
    api = Api(make_patient())
    answer = api.start(slot_id=slots[1].pk, visit_type_id=visit_type.pk)
    problem(answer, code="booking-disabled", status=503)
    assert 590 <= int(answer.headers["Retry-After"]) <= 600
    assert confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold)).pk == hold.pk


def test_pause_that_is_over_refuses_nobody() -> None:
    visit_type, slots = bookable()
    BookingPause.objects.create(is_on=True, until=Now() - timedelta(seconds=1))
    assert take(slots[0], visit_type=visit_type, holder=guest()).slot_ids == [slots[0].pk]


class TestBuffer:
    """Slots kept free after a visit: claimed with it, but no part of it."""

    def test_visit_takes_its_buffer_and_ends_before_it(self) -> None:
        visit_type, slots = bookable(slots=2, count=5)
        visit_type.buffer_slots = 1
        visit_type.save()
        appointment = book(slots[1], visit_type=visit_type, holder=guest())
        assert (appointment.starts_at, appointment.ends_at) == (
            slots[1].starts_at,
            slots[2].ends_at,
        )
        states = Slot.objects.filter(doctor=visit_type.doctor).order_by("starts_at")
        assert [slot.state for slot in states] == ["open", "booked", "booked", "booked", "open"]

    def test_visit_whose_buffer_is_booked_is_refused(self) -> None:
        visit_type, slots = bookable(count=3)
        visit_type.buffer_slots = 1
        visit_type.save()
        make_appointment(slots=slots[2:])
        with pytest.raises(Exception, match="slot-taken"):
            take(slots[1], visit_type=visit_type, holder=guest())
        assert take(slots[0], visit_type=visit_type, holder=guest()).slot_ids == [
            slots[0].pk,
            slots[1].pk,
        ]

    def test_last_visit_of_the_day_needs_no_buffer(self) -> None:
        visit_type, slots = bookable(count=2)
        visit_type.buffer_slots = 2
        visit_type.save()
        assert take(slots[1], visit_type=visit_type, holder=guest()).slot_ids == [slots[1].pk]


def test_account_that_was_switched_off_books_nothing_with_its_token() -> None:
    patient = make_patient()
    api, (visit_type, slots) = Api(patient), bookable()
    patient.is_active = False
    patient.save()
    before = traces()
    answer = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk)
    problem(answer, code="unauthenticated", status=401)
    assert traces() == before
    assert not IdempotencyRecord.objects.filter(status=201).exists()


def test_account_that_was_switched_off_after_its_hold_confirms_nothing() -> None:
    patient = make_patient()
    api, (visit_type, slots) = Api(patient), bookable()
    started = api.start(slot_id=slots[0].pk, visit_type_id=visit_type.pk).json()
    hold = Hold.objects.get(pk=started["attemptId"])
    patient.is_active = False
    patient.save()
    before = traces()
    problem(api.verify(hold.pk, code_of(hold)), code="unauthenticated", status=401)
    assert traces() == before


def test_account_that_was_switched_off_hears_nothing_of_slots() -> None:
    patient = make_patient(is_active=False)
    answer = Api(patient).start(slot_id=9_999_999, visit_type_id=9_999_999)
    problem(answer, code="unauthenticated", status=401)


@pytest.mark.parametrize("gone", ["doctor", "visit type"])
def test_visit_that_is_no_longer_offered_is_not_confirmed(gone: str) -> None:
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    row = visit_type.doctor if gone == "doctor" else visit_type
    row.is_active = False
    row.save()
    before = traces()
    with pytest.raises(HoldExpired):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert traces() == before


def test_hold_ends_when_the_visit_begins() -> None:
    doctor = make_doctor(min_notice_minutes=0)
    visit_type = make_visit_type(doctor=doctor)
    start = timezone.now() + timedelta(minutes=2)
    (slot,) = make_slots(doctor=doctor, starts_at=start)
    holder = guest()
    hold = take(slot, visit_type=visit_type, holder=holder)
    slot.refresh_from_db()
    assert hold.expires_at == slot.held_until == start
    # The details renew it, and not beyond that either.
    renewed = ask_for_code(hold, holder=holder)
    slot.refresh_from_db()
    assert renewed.expires_at == slot.held_until == start


def test_visits_ahead_are_counted_when_an_offer_is_made(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 1
    patient = make_patient()
    make_appointment(slots=make_slots(doctor=make_doctor()), patient=patient)
    visit_type, slots = bookable()
    entry = make_waitlist_entry(patient=patient, doctor=visit_type.doctor, visit_type=visit_type)
    with pytest.raises(AppointmentLimit):
        hold_slot(
            slot_id=slots[3].pk,
            visit_type_id=visit_type.pk,
            holder=as_patient(patient),
            offer=OfferTerms(entry.pk, timedelta(minutes=15)),
            now=timezone.now(),
        )


def test_visits_ahead_are_counted_when_an_offer_is_accepted(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 1
    patient = make_patient()
    visit_type, slots = bookable()
    entry = make_waitlist_entry(patient=patient, doctor=visit_type.doctor, visit_type=visit_type)
    hold = hold_slot(
        slot_id=slots[3].pk,
        visit_type_id=visit_type.pk,
        holder=as_patient(patient),
        offer=OfferTerms(entry.pk, timedelta(minutes=15)),
        now=timezone.now(),
    )
    make_appointment(slots=make_slots(doctor=make_doctor()), patient=patient)
    with pytest.raises(AppointmentLimit):
        confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))


@pytest.mark.django_db(transaction=True)
def test_part_of_a_lapsed_hold_is_not_taken_while_somebody_works_on_the_rest() -> None:
    """They would find that the hold has ended, and nobody would come back to open their slot."""
    visit_type, slots = bookable(slots=2)
    short = make_visit_type(doctor=visit_type.doctor)
    let_expire(take(slots[0], visit_type=visit_type, holder=guest()))
    get_redis_connection("default").flushdb()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT FROM doctors_slot WHERE id = %s FOR UPDATE", [slots[1].pk])
            with pytest.raises(SlotHeld):
                take(slots[0], visit_type=short, holder=guest())
            cursor.execute("ROLLBACK")  # a closed connection keeps its locks for a moment more
    finally:
        other.close()
    assert take(slots[0], visit_type=short, holder=guest()).slot_ids == [slots[0].pk]
    slots[1].refresh_from_db()
    assert slots[1].state == "open"
